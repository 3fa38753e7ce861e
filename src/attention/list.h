/* One line per attention variant: FOCI_ATTENTION(name) is the object foci_attention_NAME. No include guard. */
FOCI_ATTENTION(softmax)
FOCI_ATTENTION(elliptical)
FOCI_ATTENTION(performer)
FOCI_ATTENTION(linear)
FOCI_ATTENTION(cosine)
FOCI_ATTENTION(longformer)
FOCI_ATTENTION(fourier)
FOCI_ATTENTION(rpc)
