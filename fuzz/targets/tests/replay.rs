//! Every target on real files and on what fuzzers found.

use straylight_fuzz_targets::TARGETS;

#[test]
fn everything_that_fuzzers_begin_with_or_found_holds() {
    for target in TARGETS {
        let inputs = target.inputs();
        assert!(!inputs.is_empty(), "{} has no seeds", target.name);
        for (path, input) in inputs {
            println!("{}: {}", target.name, path.display());
            (target.run)(&input);
        }
    }
}
