//! Any bytes in the place of an archive of images give frames within the limits, or errors that
//! name the archive.

use straylight_image::{DecodeLimits, DecodeOptions};
use straylight_sources::{SourceOptions, Spec, open_spec};

pub(crate) fn fuzz(input: &[u8]) {
    let Some((which, bytes)) = input.split_first() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("images.archive");
    std::fs::write(&path, bytes).expect("a file");
    let limits = DecodeLimits {
        max_pixels: 1 << 16,
        max_file_bytes: 1 << 20,
    };
    let options = SourceOptions {
        decode: DecodeOptions {
            limits,
            scaled: None,
        },
        ..SourceOptions::default()
    };
    let spec = if which & 1 == 0 {
        Spec::Zip(path)
    } else {
        Spec::Tar(path)
    };
    let Ok(frames) = open_spec(spec, &options) else {
        return;
    };
    for sourced in frames {
        match sourced {
            Ok(sourced) => {
                let image = sourced.frame.image();
                let pixels = u64::from(image.width()) * u64::from(image.height());
                assert!(pixels <= limits.max_pixels);
            }
            Err(error) => assert!(error.to_string().contains("images.archive"), "{error}"),
        }
    }
}
