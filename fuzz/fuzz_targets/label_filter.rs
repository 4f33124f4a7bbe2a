#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| straylight_fuzz_targets::run("label_filter", bytes));
