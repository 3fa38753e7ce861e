/* One line per built-in data set: FOCI_MAKER(name) is the object foci_maker_NAME. No include guard. */
FOCI_MAKER(images)
FOCI_MAKER(text)
FOCI_MAKER(listops)
FOCI_MAKER(pathfinder)
