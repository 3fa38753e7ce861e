/* One line per task: FOCI_TASK(name) stands for the descriptor foci_task_NAME, in NAME.c. No include guard. */
FOCI_TASK(images)
FOCI_TASK(segmentation)
FOCI_TASK(text)
FOCI_TASK(sequences)
