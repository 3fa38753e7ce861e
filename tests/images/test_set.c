/* Labelled sets: classes and files in order, folders and archives alike, and what is passed over or refused.
 */
#include <unistd.h>

#include "image_files.h"

static foci_image_set *open_set(const char *path) {
    foci_image_set *set = NULL;
    assert_ok(foci_image_set_open(&set, path));
    return set;
}

static void expect_refusal(const char *path, const char *part) {
    foci_image_set *set = (foci_image_set *)&path;
    assert_fails(foci_image_set_open(&set, path), FOCI_ERR_DATA, part);
    assert_null(set);
}

static void expect_names(const foci_image_set *set, const char *const *names, int64_t count) {
    assert_int_equal(foci_image_set_count(set), count);
    for (int64_t i = 0; i < count; i++) assert_string_equal(foci_image_set_name(set, i), names[i]);
}

/* ------------------------------------------------------------------------------------------------ folders */

/* DIR/good, which most tests read: as text "a-b/" is before "a/", as a class it comes after. */
static const char *const good[] = {"Z/one.JPEG", "a/1.png", "a/10.png", "a/2.png", "a-b/x.jpg", "b/y.jpeg", "b/z.PNG"};
enum { GOOD = 7 };
static const int good_label[GOOD] = {0, 1, 1, 1, 2, 3, 3};

static int make_good(void **state) {
    make_folder(state);
    const char *dir = path_of("%s/good", (char *)*state);
    mkdir(dir, 0755);
    for (int i = GOOD - 1; i >= 0; i--) {
        char class[64];
        snprintf(class, sizeof class, "%.*s", (int)(strchr(good[i], '/') - good[i]), good[i]);
        save_image(dir, class, strchr(good[i], '/') + 1, i);
    }
    save(path_of("%s/README.txt", dir), "words", 5);
    save(path_of("%s/loose.png", dir), "no class", 8);
    save(path_of("%s/a/notes.txt", dir), "words", 5);
    save(path_of("%s/a/.hidden.png", dir), "words", 5);
    save(path_of("%s/a/png", dir), "words", 5);
    save(path_of("%s/a/.png", dir), "words", 5);
    save_image(dir, ".cache", "x.png", 0);
    return 0;
}

static void classes_and_files_are_sorted_by_name(void **state) {
    foci_image_set *set = open_set(path_of("%s/good", (char *)*state));
    expect_names(set, good, GOOD);
    foci_image_set_close(set);
}

static void a_label_is_the_index_of_the_class(void **state) {
    foci_image_set *set = open_set(path_of("%s/good", (char *)*state));
    static const char *const classes[] = {"Z", "a", "a-b", "b"};
    assert_int_equal(foci_image_set_classes(set), 4);
    for (int k = 0; k < 4; k++) assert_string_equal(foci_image_set_class_name(set, k), classes[k]);
    for (int i = 0; i < GOOD; i++) assert_int_equal(foci_image_set_label(set, i), good_label[i]);
    foci_image_set_close(set);
}

/* A JPEG here is within `tolerance` of what was saved; a PNG is equal. */
static void expect_images(const foci_image_set *set) {
    for (int i = 0; i < GOOD; i++) {
        foci_image image, wanted = smooth_image(24, 20, i);
        assert_ok(foci_image_set_read(set, i, &image, 0));
        assert_in_range(largest_difference(&image, &wanted), 0, strstr(good[i], ".png") ? 0 : 20);
        foci_image_free(&image);
        foci_image_free(&wanted);
    }
}

static void every_image_of_a_folder_is_read(void **state) {
    foci_image_set *set = open_set(path_of("%s/good", (char *)*state));
    expect_images(set);
    foci_image image;
    assert_ok(foci_image_set_read(set, 0, &image, 10)); /* a JPEG of 24 x 20, halved */
    assert_int_equal(image.width, 12);
    foci_image_free(&image);
    foci_image_set_close(set);
}

static void slashes_at_the_end_of_the_path_do_not_matter(void **state) {
    foci_image_set *set = open_set(path_of("%s/good//", (char *)*state));
    expect_names(set, good, GOOD);
    expect_images(set);
    foci_image_set_close(set);
}

static void images_in_folders_of_a_class_are_of_that_class(void **state) {
    const char *dir = path_of("%s/deep", (char *)*state);
    mkdir(dir, 0755);
    save_image(dir, "k", "z.png", 1);
    mkdir(path_of("%s/k/more", dir), 0755);
    save_image(dir, "k/more", "a.png", 2);
    save_image(dir, "l", "b.png", 3);
    foci_image_set *set = open_set(dir);
    expect_names(set, (const char *const[]){"k/more/a.png", "k/z.png", "l/b.png"}, 3);
    assert_int_equal(foci_image_set_classes(set), 2);
    assert_int_equal(foci_image_set_label(set, 0), 0);
    foci_image_set_close(set);
}

static void links_to_files_and_folders_are_followed(void **state) {
    const char *dir = path_of("%s/linked", (char *)*state);
    mkdir(dir, 0755);
    mkdir(path_of("%s/k", dir), 0755);
    assert_int_equal(symlink("../../good/a/1.png", path_of("%s/k/link.png", dir)), 0);
    assert_int_equal(symlink("../good/b", path_of("%s/m", dir)), 0);
    foci_image_set *set = open_set(dir);
    expect_names(set, (const char *const[]){"k/link.png", "m/y.jpeg", "m/z.PNG"}, 3);
    foci_image image;
    assert_ok(foci_image_set_read(set, 0, &image, 0));
    foci_image_free(&image);
    foci_image_set_close(set);
}

static void a_class_that_is_a_broken_link_is_named(void **state) {
    const char *dir = path_of("%s/broken-class", (char *)*state);
    mkdir(dir, 0755);
    save_image(dir, "k", "a.png", 1);
    assert_int_equal(symlink("absent", path_of("%s/m", dir)), 0);
    expect_refusal(dir, "broken-class/m: a link that leads nowhere");
}

static void a_loop_of_links_ends_in_an_error(void **state) {
    const char *dir = path_of("%s/loop", (char *)*state);
    mkdir(dir, 0755);
    save_image(dir, "k", "a.png", 1);
    assert_int_equal(symlink("..", path_of("%s/k/up", dir)), 0);
    expect_refusal(dir, "deep");
}

static void a_class_without_images_is_refused(void **state) {
    const char *dir = path_of("%s/empty-class", (char *)*state);
    mkdir(dir, 0755);
    save_image(dir, "full", "a.png", 1);
    mkdir(path_of("%s/void", dir), 0755);
    save(path_of("%s/void/notes.txt", dir), "words", 5);
    expect_refusal(dir, "empty-class/void");
}

static void a_folder_without_classes_is_refused(void **state) {
    const char *dir = path_of("%s/no-classes", (char *)*state);
    mkdir(dir, 0755);
    expect_refusal(dir, "no-classes");
    save(path_of("%s/loose.png", dir), "x", 1);
    expect_refusal(dir, "CLASS/FILE");
}

static void a_missing_folder_is_named(void **state) {
    expect_refusal(path_of("%s/absent/train", (char *)*state), "absent/train");
    expect_refusal("", "");
}

static void a_file_that_is_no_image_is_named_when_read(void **state) {
    const char *dir = path_of("%s/broken", (char *)*state);
    mkdir(dir, 0755);
    mkdir(path_of("%s/k", dir), 0755);
    save(path_of("%s/k/bad.jpg", dir), "words", 5);
    save(path_of("%s/k/empty.png", dir), "", 0);
    assert_int_equal(symlink("nowhere", path_of("%s/k/gone.png", dir)), 0);
    assert_int_equal(mkfifo(path_of("%s/k/pipe.png", dir), 0600), 0);
    foci_image_set *set = open_set(dir);
    expect_names(set, (const char *const[]){"k/bad.jpg", "k/empty.png", "k/gone.png", "k/pipe.png"}, 4);
    for (int i = 0; i < 4; i++) {
        foci_image image = {1, 1, NULL};
        assert_fails(foci_image_set_read(set, i, &image, 0), FOCI_ERR_DATA, foci_image_set_name(set, i));
        assert_non_null(strstr(foci_error_message(), dir));
        assert_null(image.pixels);
    }
    foci_image_set_close(set);
}

/* ----------------------------------------------------------------------------------------------- archives */

/* Packs the contents of DIR/`from` with the system's tar and returns the archive's path. */
static const char *pack(void **state, const char *from, const char *format, const char *members) {
    const char *tar = path_of("%s/%s.%s.tar", (char *)*state, from, format);
    run(path_of("tar -C '%s/%s' --format=%s -cf '%s' %s", (char *)*state, from, format, tar, members));
    return tar;
}

static void check_archive(void **state, const char *format, const char *members) {
    foci_image_set *set = open_set(pack(state, "good", format, members));
    expect_names(set, good, GOOD);
    assert_int_equal(foci_image_set_classes(set), 4);
    for (int i = 0; i < GOOD; i++) assert_int_equal(foci_image_set_label(set, i), good_label[i]);
    expect_images(set);
    foci_image_set_close(set);
}

static void a_ustar_archive_is_as_its_folder(void **state) { check_archive(state, "ustar", "."); }
static void a_gnu_archive_is_as_its_folder(void **state) { check_archive(state, "gnu", "."); }
static void a_pax_archive_is_as_its_folder(void **state) { check_archive(state, "pax", "."); }
static void an_old_archive_is_as_its_folder(void **state) { check_archive(state, "v7", "."); }
static void an_archive_of_bare_names_is_as_its_folder(void **state) {
    check_archive(state, "gnu", "b a a-b Z README.txt loose.png .cache");
}

static void long_names_are_read_in_every_format(void **state) {
    const char *dir = path_of("%s/long", (char *)*state);
    char class[120], file[120], name[260];
    memset(class, 'c', 84);
    strcpy(class + 84, "-class");
    memset(file, 'f', 84);
    strcpy(file + 84, "-file.png");
    snprintf(name, sizeof name, "%s/%s", class, file);
    mkdir(dir, 0755);
    save_image(dir, class, file, 1);
    save_image(dir, "short", "a.png", 2);
    static const char *const formats[] = {"ustar", "gnu", "pax"};
    for (int i = 0; i < 3; i++) {
        foci_image_set *set = open_set(pack(state, "long", formats[i], "."));
        expect_names(set, (const char *const[]){name, "short/a.png"}, 2);
        foci_image_set_close(set);
    }
}

static void a_path_may_go_on_inside_the_archive(void **state) {
    char dir[512];
    snprintf(dir, sizeof dir, "%s/nested", (char *)*state);
    run(path_of("mkdir -p '%s/sets/one' && cp -r '%s/good/a' '%s/good/b' '%s/sets/one'", dir, (char *)*state,
                (char *)*state, dir));
    run(path_of("cp -r '%s/sets/one' '%s/sets/one-more'", dir, dir));
    static const char *const inside[] = {"sets/one", "/sets/one/", "sets/one-more"};
    const char *tar = pack(state, "nested", "ustar", "sets");
    for (int i = 0; i < 3; i++) {
        foci_image_set *set = open_set(path_of("%s/%s", tar, inside[i]));
        expect_names(set, (const char *const[]){"a/1.png", "a/10.png", "a/2.png", "b/y.jpeg", "b/z.PNG"}, 5);
        foci_image_set_close(set);
    }
    expect_refusal(path_of("%s/sets/on", tar), "sets/on");
    expect_refusal(path_of("%s/sets/one/a/1.png", tar), "sets/one/a/1.png");
    expect_refusal(path_of("%s/absent", tar), "absent");
}

static void an_image_read_from_an_archive_is_named_by_it(void **state) {
    const char *dir = path_of("%s/spoilt", (char *)*state);
    mkdir(dir, 0755);
    mkdir(path_of("%s/k", dir), 0755);
    save(path_of("%s/k/bad.jpg", dir), "words", 5);
    save(path_of("%s/k/empty.jpg", dir), "", 0);
    foci_image_set *set = open_set(pack(state, "spoilt", "ustar", "."));
    foci_image image;
    assert_fails(foci_image_set_read(set, 0, &image, 0), FOCI_ERR_DATA, "spoilt.ustar.tar/k/bad.jpg");
    assert_fails(foci_image_set_read(set, 1, &image, 0), FOCI_ERR_DATA, "k/empty.jpg: empty");
    foci_image_set_close(set);
}

/* --------------------------------------------------------------------------------------- archives by hand */

static void seal(unsigned char header[512]) {
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++) sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

/* `claimed` is the size in the header, in octal digits. */
static void append_entry(blob *tar, const char *name, char type, const char *claimed, const void *data, size_t size) {
    static const unsigned char zeros[512];
    unsigned char header[512] = {0};
    snprintf((char *)header, 100, "%s", name);
    memcpy(header + 100,
           "0000644\0"
           "0000000\0"
           "0000000\0",
           24);
    snprintf((char *)header + 124, 12, "%s", claimed);
    memcpy(header + 136, "00000000000", 12);
    header[156] = (unsigned char)type;
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    seal(header);
    append(tar, header, 512);
    append(tar, data, size);
    append(tar, zeros, (512 - size % 512) % 512);
}

static void append_file(blob *tar, const char *name, char type) {
    static const unsigned char lines[] = {0, 7};
    blob png = make_png(1, 1, (png_kind){.depth = 8}, lines, sizeof lines);
    char claimed[16];
    snprintf(claimed, sizeof claimed, "%011zo", png.size);
    append_entry(tar, name, type, claimed, png.data, png.size);
    free(png.data);
}

/* Writes the archive, its end mark behind it, and frees it. */
static const char *save_archive(void **state, const char *name, blob *tar) {
    static const unsigned char zeros[1024];
    const char *path = path_of("%s/%s", (char *)*state, name);
    append(tar, zeros, sizeof zeros);
    save(path, tar->data, tar->size);
    free(tar->data);
    *tar = (blob){0};
    return path;
}

static void an_archive_by_hand_is_read(void **state) {
    blob tar = {0};
    append_file(&tar, "k/a.png", '0');
    append_file(&tar, "k/b.png", 0);
    foci_image_set *set = open_set(save_archive(state, "hand.tar", &tar));
    expect_names(set, (const char *const[]){"k/a.png", "k/b.png"}, 2);
    foci_image image;
    assert_ok(foci_image_set_read(set, 1, &image, 0));
    assert_int_equal(image.pixels[0], 7);
    foci_image_free(&image);
    foci_image_set_close(set);
}

static void names_that_climb_are_refused(void **state) {
    static const char *const names[] = {"../k/a.png", "k/../../b.png", "k/../c.png", "../../etc/x.png"};
    for (int i = 0; i < 4; i++) {
        blob tar = {0};
        append_file(&tar, "k/a.png", '0');
        append_file(&tar, names[i], '0');
        expect_refusal(save_archive(state, "climbing.tar", &tar), "leads out of it");
    }
    blob tar = {0};
    append_file(&tar, "k/..", '0'); /* no image */
    append_file(&tar, "k/dots..png", '0');
    append_file(&tar, "k../..a.png", '0'); /* hidden */
    append_file(&tar, "k../a..png", '0');
    foci_image_set *set = open_set(save_archive(state, "climbing.tar", &tar));
    expect_names(set, (const char *const[]){"k/dots..png", "k../a..png"}, 2);
    foci_image_set_close(set);
}

static void names_with_control_characters_are_refused(void **state) {
    static const char *const names[] = {"k/\033[31m.png", "k\n/a.png", "k/\177.png"};
    for (int i = 0; i < 3; i++) {
        blob tar = {0};
        append_file(&tar, names[i], '0');
        expect_refusal(save_archive(state, "control.tar", &tar), "holds a control character");
    }
}

static void a_name_from_the_root_is_one_inside(void **state) {
    blob tar = {0};
    append_file(&tar, "/k/a.png", '0');
    append_file(&tar, "././k/b.png", '0');
    append_file(&tar, ".//k/c.png", '0');
    foci_image_set *set = open_set(save_archive(state, "root.tar", &tar));
    expect_names(set, (const char *const[]){"k/a.png", "k/b.png", "k/c.png"}, 3);
    foci_image_set_close(set);
}

static void folders_and_devices_are_passed_over(void **state) {
    blob tar = {0};
    append_file(&tar, "k/a.png", '0');
    for (char type = '3'; type <= '6'; type++) append_entry(&tar, "k/special.png", type, "00000000777", "", 0);
    append_file(&tar, "k/z.png", '0');
    foci_image_set *set = open_set(save_archive(state, "devices.tar", &tar));
    expect_names(set, (const char *const[]){"k/a.png", "k/z.png"}, 2);
    foci_image_set_close(set);
}

/* Hard links, and symbolic ones that go up, over another link, and by a long name. */
static void links_in_an_archive_are_followed(void **state) {
    char dir[512], longer[120];
    snprintf(dir, sizeof dir, "%s/linking", (char *)*state);
    memset(longer, 'x', 110);
    strcpy(longer + 110, ".png");
    mkdir(dir, 0755);
    save_image(dir, "k", "a.png", 1);
    save_image(dir, "k", longer, 2);
    mkdir(path_of("%s/m", dir), 0755);
    assert_int_equal(link(path_of("%s/k/a.png", dir), path_of("%s/m/hard.png", dir)), 0);
    assert_int_equal(symlink("./../k//a.png", path_of("%s/m/soft.png", dir)), 0);
    assert_int_equal(symlink("soft.png", path_of("%s/m/twice.png", dir)), 0);
    assert_int_equal(symlink(path_of("../k/%s", longer), path_of("%s/m/long.png", dir)), 0);
    static const char *const formats[] = {"gnu", "pax"};
    for (int i = 0; i < 2; i++) {
        foci_image_set *set = open_set(pack(state, "linking", formats[i], "k m"));
        expect_names(set,
                     (const char *const[]){"k/a.png", path_of("k/%s", longer), "m/hard.png", "m/long.png", "m/soft.png",
                                           "m/twice.png"},
                     6);
        for (int64_t at = 2; at < 6; at++) {
            foci_image image, wanted = smooth_image(24, 20, at == 3 ? 2 : 1);
            assert_ok(foci_image_set_read(set, at, &image, 0));
            assert_int_equal(largest_difference(&image, &wanted), 0);
            foci_image_free(&image);
            foci_image_free(&wanted);
        }
        foci_image_set_close(set);
    }
}

static void append_link(blob *tar, const char *name, char type, const char *target) {
    append_entry(tar, name, type, "00000000000", "", 0);
    unsigned char *header = tar->data + tar->size - 512;
    snprintf((char *)header + 157, 100, "%s", target);
    seal(header);
}

static void links_that_lead_to_no_file_of_the_archive_are_named(void **state) {
    static const struct {
        const char *name;
        char type;
        const char *target;
    } links[] = {{"k/l.png", '2', "absent.png"},    {"k/l.png", '1', "absent.png"}, {"k/l.png", '2', "/etc/a.png"},
                 {"k/l.png", '2', "../../k/a.png"}, {"k/l.png", '2', "l.png"},      {"m", '2', "k"},
                 {"k/l.png", '2', "\033[1m"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        blob tar = {0};
        append_file(&tar, "k/a.png", '0');
        append_link(&tar, links[i].name, links[i].type, links[i].target);
        expect_refusal(save_archive(state, "dangling.tar", &tar),
                       i < 6 ? "which is no file of the archive; tar --dereference stores" : "control character");
    }
    blob tar = {0}; /* elsewhere, and hidden, they do no harm */
    append_file(&tar, "k/a/a.png", '0');
    append_link(&tar, "other/l.png", '2', "absent.png");
    append_link(&tar, "k/.l", '2', "absent.png");
    foci_image_set *set = open_set(path_of("%s/k", save_archive(state, "elsewhere.tar", &tar)));
    expect_names(set, (const char *const[]){"a/a.png"}, 1);
    foci_image_set_close(set);
}

/* ------------------------------------------------------------------------------------ kinds that are not read */

static void images_of_other_kinds_are_counted(void **state) {
    char dir[512], names[256];
    snprintf(dir, sizeof dir, "%s/kinds", (char *)*state);
    mkdir(dir, 0755);
    save_image(dir, "k", "a.png", 1);
    save_image(dir, "m", "b.png", 1);
    foci_image_set *set = open_set(dir);
    assert_int_equal(foci_image_set_left_out(set, names), 0);
    assert_string_equal(names, "");
    foci_image_set_close(set);
    save(path_of("%s/k/c.WebP", dir), "RIFF", 4);
    save(path_of("%s/k/notes.txt", dir), "words", 5);
    for (int archive = 0; archive < 2; archive++) {
        set = open_set(archive ? pack(state, "kinds", "gnu", "k m") : dir);
        assert_int_equal(foci_image_set_count(set), 2);
        assert_int_equal(foci_image_set_left_out(set, names), 1);
        assert_string_equal(names, "k/c.WebP");
        foci_image_set_close(set);
    }
    static const char *const others[] = {"m/1.bmp", "m/2.gif", "m/3.tiff", "k/4.avif"};
    for (int i = 0; i < 4; i++) save(path_of("%s/%s", dir, others[i]), "", 0);
    set = open_set(dir);
    assert_int_equal(foci_image_set_left_out(set, names), 5);
    assert_non_null(strstr(names, ", ..."));
    foci_image_set_close(set);
    mkdir(path_of("%s/z", dir), 0755);
    save(path_of("%s/z/only.webp", dir), "", 0);
    expect_refusal(dir, "kinds/z: a class without an image (.jpg, .jpeg, .png), but with others");
}

/* ------------------------------------------------------------------------------------------- roots and splits */

static void expect_part(const char *root, const char *names, const char *expected) {
    char path[4096];
    assert_ok(foci_image_root_find(root, names, path));
    assert_string_equal(path, expected);
}

static void the_folders_of_a_root_are_found(void **state) {
    char dir[512], tar[512];
    snprintf(dir, sizeof dir, "%s/rooted", (char *)*state);
    run(path_of("mkdir -p '%s/pets/train/k' '%s/pets/validation/k' '%s/flat'", dir, dir, dir));
    save_image(dir, "pets/train/k", "a.png", 1);
    save_image(dir, "pets/validation/k", "b.png", 1);
    save(path_of("%s/pets/classes.txt", dir), "k", 1);
    expect_part(path_of("%s/pets", dir), "train", path_of("%s/pets/train", dir));
    expect_part(path_of("%s/pets", dir), "val valid validation test", path_of("%s/pets/validation", dir));
    expect_part(path_of("%s/pets", dir), "val valid", "");
    snprintf(tar, sizeof tar, "%s", pack(state, "rooted", "gnu", "pets"));
    expect_part(tar, "train", path_of("%s/pets/train", tar));
    expect_part(path_of("%s/pets/", tar), "val validation", path_of("%s/pets/validation", tar));
    run(path_of("tar -C '%s/pets' -cf '%s' .", dir, tar));
    expect_part(tar, "train", path_of("%s/train", tar));
    expect_part(tar, "test", "");
    expect_part(tar, "", tar);
    expect_part(path_of("%s/train", tar), "", path_of("%s/train", tar));
    expect_part(path_of("%s/pets", dir), "", path_of("%s/pets", dir));
    run(path_of("tar -C '%s/pets' -cf '%s' train", dir, tar));
    expect_part(tar, "", path_of("%s/train", tar)); /* all of it lies there */
    foci_image_set *set = open_set(path_of("%s/train", tar));
    expect_names(set, (const char *const[]){"k/a.png"}, 1);
    foci_image_set_close(set);
    char path[4096];
    assert_fails(foci_image_root_find(path_of("%s/nowhere", dir), "train", path), FOCI_ERR_DATA,
                 "nowhere: no such folder or .tar");
}

static foci_image_set *part_of(const char *dir, double share, bool split_off) {
    foci_image_set *set = open_set(dir);
    foci_image_set_split(set, share, split_off);
    return set;
}

static bool holds(const foci_image_set *set, const char *name) {
    for (int64_t i = 0; i < foci_image_set_count(set); i++)
        if (strcmp(foci_image_set_name(set, i), name) == 0) return true;
    return false;
}

/* Every image lies on one side, whatever the others are; so do those of a smaller share. */
static void a_split_is_by_name(void **state) {
    char dir[512], file[32];
    snprintf(dir, sizeof dir, "%s/split", (char *)*state);
    mkdir(dir, 0755);
    for (int i = 0; i < 100; i++) {
        snprintf(file, sizeof file, "%d.png", i);
        save_image(dir, i % 2 ? "k" : "m", file, 1);
    }
    foci_image_set *all = open_set(dir), *train = part_of(dir, 0.2, false), *val = part_of(dir, 0.2, true),
                   *fewer = part_of(dir, 0.1, true);
    assert_int_equal(foci_image_set_count(train) + foci_image_set_count(val), 100);
    assert_int_equal(foci_image_set_count(val), 19); /* for ever: runs go by it */
    assert_int_equal(foci_image_set_classes(val), 2);
    for (int64_t i = 0; i < 100; i++) {
        const char *name = foci_image_set_name(all, i);
        assert_int_equal(holds(train, name) + holds(val, name), 1);
        if (holds(fewer, name)) assert_true(holds(val, name));
    }
    assert_false(foci_image_set_same(train, val));
    save_image(dir, "a", "new.png", 1);
    foci_image_set *more = part_of(dir, 0.2, true);
    for (int64_t i = 0; i < foci_image_set_count(val); i++) assert_true(holds(more, foci_image_set_name(val, i)));
    assert_in_range(foci_image_set_count(more), foci_image_set_count(val), foci_image_set_count(val) + 1);
    assert_int_equal(foci_image_set_classes(more), 3); /* also one without an image */
    for (int i = 0; i < 5; i++) foci_image_set_close((foci_image_set *[]){all, train, val, fewer, more}[i]);
}

static void the_same_files_are_known(void **state) {
    const char *good_folder = path_of("%s/good", (char *)*state), *link = path_of("%s/good-link", (char *)*state);
    assert_int_equal(symlink("good", link), 0);
    const char *tar = pack(state, "good", "gnu", ".");
    foci_image_set *folder = open_set(good_folder), *linked = open_set(link), *archive = open_set(tar),
                   *other = open_set(path_of("%s/linked", (char *)*state));
    assert_true(foci_image_set_same(folder, folder));
    assert_true(foci_image_set_same(folder, linked));
    assert_true(foci_image_set_same(archive, archive));
    assert_false(foci_image_set_same(folder, archive));
    assert_false(foci_image_set_same(folder, other));
    for (int i = 0; i < 4; i++) foci_image_set_close((foci_image_set *[]){folder, linked, archive, other}[i]);
}

static void a_file_that_is_there_twice_is_refused(void **state) {
    blob tar = {0};
    append_file(&tar, "k/a.png", '0');
    append_file(&tar, "./k/a.png", '0');
    expect_refusal(save_archive(state, "twice.tar", &tar), "k/a.png");
}

static void an_archive_cut_anywhere_is_refused(void **state) {
    blob tar = {0};
    append_file(&tar, "k/a.png", '0');
    append_file(&tar, "k/b.png", '0');
    size_t size = tar.size;
    const char *path = path_of("%s/cut.tar", (char *)*state);
    for (size_t n = 0; n <= size; n += n + 101 < size ? 101 : 1) {
        save(path, tar.data, n);
        expect_refusal(path, "cut.tar");
    }
    free(tar.data);
}

static void a_wrong_checksum_is_refused_with_its_place(void **state) {
    blob tar = {0};
    append_file(&tar, "k/a.png", '0');
    size_t second = tar.size;
    append_file(&tar, "k/b.png", '0');
    tar.data[second] ^= 1;
    expect_refusal(save_archive(state, "sum.tar", &tar), path_of("byte %zu", second));
}

static void a_size_beyond_the_archive_is_refused(void **state) {
    static const char huge[] = "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff",
                      most[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
    static const char *const sizes[] = {"00000010000", "77777777777", "nonsense", "0000000000x"};
    blob tar = {0};
    for (int i = 0; i < 6; i++) {
        append_file(&tar, "k/a.png", '0');
        append_entry(&tar, "k/b.png", '0', i < 4 ? sizes[i] : "", "x", 1);
        if (i >= 4) { /* in 256-base */
            unsigned char *header = tar.data + tar.size - 1024;
            memcpy(header + 124, i == 4 ? huge : most, 12);
            seal(header);
        }
        expect_refusal(save_archive(state, "size.tar", &tar), "size.tar");
    }
}

static void damaged_extended_headers_are_refused(void **state) {
    static const char *const records[] = {"99 path=k/a.png\n",
                                          "path=k/a.png\n",
                                          "0 path=k\n",
                                          "3 p",
                                          "18446744073709551617 path=x\n",
                                          "28 size=1844674407370955161\n",
                                          "11 size=-1\n"};
    blob tar = {0};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        char claimed[16];
        snprintf(claimed, sizeof claimed, "%011zo", strlen(records[i]));
        append_entry(&tar, "PaxHeader", 'x', claimed, records[i], strlen(records[i]));
        append_file(&tar, "k/b.png", '0');
        expect_refusal(save_archive(state, "pax.tar", &tar), "pax.tar");
    }
}

static void an_extended_header_gives_name_and_size(void **state) {
    static const char record[] = "19 path=class/a.png\n"; /* 20 bytes: says 19, the newline starts the next record */
    blob tar = {0};
    append_entry(&tar, "PaxHeader", 'x', "00000000024", record, 20);
    append_file(&tar, "k/b.png", '0');
    expect_refusal(save_archive(state, "pax.tar", &tar), "extended header");
    append_entry(&tar, "PaxHeader", 'x', "00000000024", "20 path=class/a.png\n", 20);
    append_file(&tar, "k/b.png", '0');
    append_file(&tar, "k/c.png", '0'); /* the name was for one entry */
    foci_image_set *set = open_set(save_archive(state, "pax.tar", &tar));
    expect_names(set, (const char *const[]){"class/a.png", "k/c.png"}, 2);
    foci_image_set_close(set);
}

static void a_file_that_is_no_archive_is_refused(void **state) {
    const char *path = path_of("%s/no.tar", (char *)*state);
    char zeros[2048] = {0};
    save(path, "some words", 10);
    expect_refusal(path, "no.tar");
    save(path, "", 0);
    expect_refusal(path, "no.tar");
    save(path, zeros, sizeof zeros); /* an archive of nothing */
    expect_refusal(path, "no image");
    memset(zeros, 'x', sizeof zeros);
    save(path, zeros, sizeof zeros);
    expect_refusal(path, "no.tar");
}

static void an_archive_without_classes_is_refused(void **state) {
    blob tar = {0};
    append_file(&tar, "a.png", '0');
    append_file(&tar, "k/notes.txt", '0');
    append_file(&tar, "k/.hidden.png", '0');
    expect_refusal(save_archive(state, "flat.tar", &tar), "flat.tar");
}

static void damaged_archives_do_no_harm(void **state) {
    blob tar = {0}, bad = {0};
    append_entry(&tar, "PaxHeader", 'x', "00000000024", "20 path=class/a.png\n", 20);
    append_file(&tar, "k/a.png", '0');
    append_entry(&tar, "././@LongLink", 'L', "00000000012", "k/long.png", 10);
    append_file(&tar, "k/b.png", '0');
    append(&tar, (unsigned char[1024]){0}, 1024);
    bad.data = malloc(tar.size);
    const char *path = path_of("%s/fuzz.tar", (char *)*state);
    uint32_t r = 9;
    for (int i = 0; i < 1000; i++) {
        memcpy(bad.data, tar.data, tar.size);
        for (int k = 0; k < 3; k++) {
            r = r * 1664525u + 1013904223u;
            bad.data[(r >> 12) % tar.size] ^= (unsigned char)(1 << (r >> 8 & 7));
        }
        for (int at = 0; at < 4; at++) /* mended, so that the fields behind the sum are read */
            seal(bad.data + (int[]){0, 1024, 2048, 3072}[at]);
        save(path, bad.data, tar.size);
        foci_image_set *set;
        if (foci_image_set_open(&set, path)) {
            assert_non_null(strstr(foci_error_message(), "fuzz.tar"));
            continue;
        }
        for (int64_t n = 0; n < foci_image_set_count(set); n++) {
            foci_image image;
            if (!foci_image_set_read(set, n, &image, 0)) foci_image_free(&image);
        }
        foci_image_set_close(set);
    }
    free(bad.data);
    free(tar.data);
}

/* ---------------------------------------------------------------------------------------------- real data */

static void photographs_decode(void **state) {
    (void)state;
    const char *tar = shared_path("data/imagenet-samples.tar");
    if (!tar) skip();
    foci_image_set *set = open_set(path_of("%s/imagenet-samples/val", tar));
    assert_int_equal(foci_image_set_count(set), 250);
    assert_int_equal(foci_image_set_classes(set), 250);
    assert_string_equal(foci_image_set_class_name(set, 0), "n01440764");
    for (int64_t i = 0; i < 250; i++) {
        foci_image image;
        assert_int_equal(foci_image_set_label(set, i), i);
        assert_ok(foci_image_set_read(set, i, &image, i % 10 ? 64 : 0)); /* one in ten whole, for the sake of time */
        int shorter = image.width < image.height ? image.width : image.height;
        assert_in_range(shorter, 64, 1600);
        foci_image_free(&image);
    }
    foci_image_set_close(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_and_files_are_sorted_by_name),
        cmocka_unit_test(a_label_is_the_index_of_the_class),
        cmocka_unit_test(every_image_of_a_folder_is_read),
        cmocka_unit_test(slashes_at_the_end_of_the_path_do_not_matter),
        cmocka_unit_test(images_in_folders_of_a_class_are_of_that_class),
        cmocka_unit_test(links_to_files_and_folders_are_followed),
        cmocka_unit_test(a_class_that_is_a_broken_link_is_named),
        cmocka_unit_test(a_loop_of_links_ends_in_an_error),
        cmocka_unit_test(a_class_without_images_is_refused),
        cmocka_unit_test(a_folder_without_classes_is_refused),
        cmocka_unit_test(a_missing_folder_is_named),
        cmocka_unit_test(a_file_that_is_no_image_is_named_when_read),
        cmocka_unit_test(a_ustar_archive_is_as_its_folder),
        cmocka_unit_test(a_gnu_archive_is_as_its_folder),
        cmocka_unit_test(a_pax_archive_is_as_its_folder),
        cmocka_unit_test(an_old_archive_is_as_its_folder),
        cmocka_unit_test(an_archive_of_bare_names_is_as_its_folder),
        cmocka_unit_test(long_names_are_read_in_every_format),
        cmocka_unit_test(a_path_may_go_on_inside_the_archive),
        cmocka_unit_test(an_image_read_from_an_archive_is_named_by_it),
        cmocka_unit_test(an_archive_by_hand_is_read),
        cmocka_unit_test(names_that_climb_are_refused),
        cmocka_unit_test(names_with_control_characters_are_refused),
        cmocka_unit_test(a_name_from_the_root_is_one_inside),
        cmocka_unit_test(folders_and_devices_are_passed_over),
        cmocka_unit_test(links_in_an_archive_are_followed),
        cmocka_unit_test(links_that_lead_to_no_file_of_the_archive_are_named),
        cmocka_unit_test(images_of_other_kinds_are_counted),
        cmocka_unit_test(the_folders_of_a_root_are_found),
        cmocka_unit_test(a_split_is_by_name),
        cmocka_unit_test(the_same_files_are_known),
        cmocka_unit_test(a_file_that_is_there_twice_is_refused),
        cmocka_unit_test(an_archive_cut_anywhere_is_refused),
        cmocka_unit_test(a_wrong_checksum_is_refused_with_its_place),
        cmocka_unit_test(a_size_beyond_the_archive_is_refused),
        cmocka_unit_test(damaged_extended_headers_are_refused),
        cmocka_unit_test(an_extended_header_gives_name_and_size),
        cmocka_unit_test(a_file_that_is_no_archive_is_refused),
        cmocka_unit_test(an_archive_without_classes_is_refused),
        cmocka_unit_test(damaged_archives_do_no_harm),
        cmocka_unit_test(photographs_decode),
    };
    return cmocka_run_group_tests(tests, make_good, remove_folder);
}
