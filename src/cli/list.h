/* One line per command, in the order of `foci --help`. No include guard. */
FOCI_COMMAND(train, "train a model from a config")
FOCI_COMMAND(eval, "accuracy or perplexity of a run")
FOCI_COMMAND(verify, "compare with golden cases")
FOCI_COMMAND(bench, "time of a training step, and how far it is from the processor's peak")
FOCI_COMMAND(plot, "draw the curves of runs")
FOCI_COMMAND(data, "make, check and count data sets")
FOCI_COMMAND(list, "what is built in: models, attention, ops, data")
FOCI_COMMAND(help, "help on a command, or on the keys of a config")
