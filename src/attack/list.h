/* FOCI_ATTACK(name): the descriptor `const foci_attack foci_attack_NAME`, of src/attack/NAME.c as a rule. No include
 * guard. */
FOCI_ATTACK(fgsm)
FOCI_ATTACK(pgd)
FOCI_ATTACK(spsa)
FOCI_ATTACK(autoattack)
FOCI_ATTACK(apgd_ce)
FOCI_ATTACK(apgd_t)
FOCI_ATTACK(fab_t)
FOCI_ATTACK(square)
