# The ascent: images or tokens a second of PyTorch, of foci before (commit d13654c) and now (202b536), and the roof: the
# processor's peak over the operations that a step needs. Best of processes in turn, docs/speed.md.
# gnuplot tests/bench/ascent.gp
$steps << END
"DeiT-tiny"          17.9   38.7   42.8    64.8
"DeiT-tiny, bf16"    47.7   63.3   70.9   119.6
"LM small"         1400    3377   3287    4883
"LM small, bf16"   3185    5043   5165    9006
"LM medium"         630    1512   1541    2250
"LM medium, bf16"  1678    2410   2539    4150
END
set terminal svg size 860,330 font "sans-serif,12" background "#ffffff"
set output "tests/bench/ascent.svg"
set style data histogram
set style histogram clustered gap 1
set style fill solid border lc rgb "#ffffff"
set boxwidth 0.95
set border 3 lc rgb "#888888"
set tics nomirror scale 0.5 textcolor rgb "#333333"
set grid ytics lc rgb "#e4e4e4" lt 1 lw 0.7
set yrange [0:100]
set ylabel "share of the roof, %"
set key outside top center horizontal maxrows 1 samplen 1.5
plot $steps using (100*$2/$5):xtic(1) lc rgb "#b0b0b0" title "PyTorch, the better one", \
     '' using (100*$3/$5) lc rgb "#56b4e9" title "foci before", \
     '' using (100*$4/$5) lc rgb "#0072b2" title "foci", \
     '' using 0:(100*$4/$5 + 4):(sprintf($5 > 500 ? "%.0f" : "%.1f", $4)) with labels font ",10" offset 1.6,0 notitle
