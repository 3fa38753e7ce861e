/* One line per model: FOCI_MODEL(name) stands for the object foci_model_NAME. No include guard. */
FOCI_MODEL(vit)
FOCI_MODEL(fan)
FOCI_MODEL(segmenter)
FOCI_MODEL(lm)
FOCI_MODEL(gpt)
FOCI_MODEL(encoder)
FOCI_MODEL(lm_span)
FOCI_MODEL(lm_span_classifier)
