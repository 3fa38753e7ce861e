/* One line per contamination of text: FOCI_CONTAMINATION(name) is the object foci_contamination_NAME. No include guard.
 */
FOCI_CONTAMINATION(word_swap)
