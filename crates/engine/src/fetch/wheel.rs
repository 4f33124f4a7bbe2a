use std::path::{Path, PathBuf};

/// The pinned version of OpenVINO.
pub const VERSION: &str = "2026.4.1";

/// A pinned OpenVINO wheel.
///
/// The wheel is one for Python 3.12 whatever the user's Python is: only its libraries are
/// used, and they do not depend on Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheel {
    /// File name.
    pub file: &'static str,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: &'static str,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Python version, for pip.
    pub python: &'static str,
    /// Binary interface, for pip.
    pub abi: &'static str,
    /// Platform, for pip.
    pub platform: &'static str,
    /// Name of the C library inside.
    pub library: &'static str,
}

const LINUX_X86_64: Wheel = Wheel {
    file: "openvino-2026.4.1-22982-cp312-cp312-manylinux_2_28_x86_64.whl",
    sha256: "6b4375c17ddcac83a5180349e2e2bb811185c261066e2a920659892d58ef0e3b",
    bytes: 59_144_434,
    python: "3.12",
    abi: "cp312",
    platform: "manylinux_2_28_x86_64",
    library: "libopenvino_c.so.2641",
};

const LINUX_AARCH64: Wheel = Wheel {
    file: "openvino-2026.4.1-22982-cp312-cp312-manylinux_2_35_aarch64.whl",
    sha256: "82efccb2f9f1bdc7e5a1996e05a3b719ebff9232dd54b44150d6d2e983a86b7d",
    bytes: 30_332_437,
    platform: "manylinux_2_35_aarch64",
    ..LINUX_X86_64
};

const MACOS_ARM64: Wheel = Wheel {
    file: "openvino-2026.4.1-22982-cp312-cp312-macosx_11_0_arm64.whl",
    sha256: "726ac547b8474a5e7b145bc1ae5a8bb6fbcbb60b79bd9a611c67eec2c74b7a5f",
    bytes: 33_341_733,
    platform: "macosx_11_0_arm64",
    library: "libopenvino_c.2641.dylib",
    ..LINUX_X86_64
};

const WINDOWS_X86_64: Wheel = Wheel {
    file: "openvino-2026.4.1-22982-cp312-cp312-win_amd64.whl",
    sha256: "4e04316abff1b99e29b8cbd38deaef9bde4739eba216d982d4b3981e456ecd87",
    bytes: 84_964_415,
    platform: "win_amd64",
    library: "openvino_c.dll",
    ..LINUX_X86_64
};

impl Wheel {
    /// The wheel for the machine that this program was built for, if there is one.
    pub fn for_this_machine() -> Option<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Some(LINUX_X86_64),
            ("linux", "aarch64") => Some(LINUX_AARCH64),
            ("macos", "aarch64") => Some(MACOS_ARM64),
            ("windows", "x86_64") => Some(WINDOWS_X86_64),
            _ => None,
        }
    }

    /// The unpacked C library in a folder of the cache, if it is there.
    pub(super) fn library_in(&self, folder: &Path) -> Option<PathBuf> {
        let library = folder.join("libs").join(self.library);
        library.is_file().then_some(library)
    }
}
