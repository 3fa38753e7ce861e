/* One line per kind of data set: FOCI_DATA_SET(name) stands for the object foci_data_set_NAME. No include guard. */
FOCI_DATA_SET(image_folder)
FOCI_DATA_SET(segmentation)
FOCI_DATA_SET(text)
FOCI_DATA_SET(listops)
FOCI_DATA_SET(byte_text)
FOCI_DATA_SET(byte_pairs)
FOCI_DATA_SET(pixels)
FOCI_DATA_SET(pathfinder)
