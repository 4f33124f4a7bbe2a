//! Disks that are full for a while.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Trouble;

/// Names the folder where the small file system is mounted, in the run that works on it.
const SMALL_DISK: &str = "SOAK_SMALL_DISK";

/// Bytes of the small file system: a few seconds of images.
const SMALL_BYTES: u32 = 4 << 20;

/// Largest file, in the shell's blocks of 512 or 1024 bytes, while a limit stands for a full disk.
///
/// The database's shared memory fits in; larger images and a grown log do not.
const LARGEST_FILE: u32 = 96;

/// How a disk becomes full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Disk {
    /// A small file system that another file fills to the last byte.
    Small(PathBuf),
    /// A limit on the size of files, which any user can set: writes fail in the middle.
    Limited,
}

/// What the disk is like in one round.
pub(super) enum Weather {
    Fair,
    /// The small disk is full from the start and free later.
    Full {
        _until_the_middle: Hog,
    },
    /// The small disk is free at first and full later.
    Filling(PathBuf),
    Limited,
}

impl Weather {
    pub(super) fn of_round(trouble: &Trouble, round: u32) -> Self {
        let is_odd = round % 2 == 1;
        match trouble {
            Trouble::FullDisk(Disk::Small(small)) if is_odd => Self::Full {
                _until_the_middle: Hog::fill(small),
            },
            Trouble::FullDisk(Disk::Small(small)) => Self::Filling(small.clone()),
            Trouble::FullDisk(Disk::Limited) if is_odd => Self::Limited,
            _ => Self::Fair,
        }
    }

    /// This program as the child of the round.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let program = std::env::current_exe().unwrap();
        if !matches!(self, Self::Limited) {
            let mut command = Command::new(program);
            command.args(arguments);
            return command;
        }
        // Without the trap the signal would end the child; with it the write fails.
        let script = format!("trap '' XFSZ; ulimit -f {LARGEST_FILE}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(program).args(arguments);
        command
    }

    /// The middle of the round; what is returned goes at its end.
    pub(super) fn change(self) -> Option<Hog> {
        match self {
            Self::Filling(small) => Some(Hog::fill(&small)),
            Self::Fair | Self::Full { .. } | Self::Limited => None,
        }
    }
}

/// A file that takes all the room there is, until it is dropped.
pub(super) struct Hog(PathBuf);

impl Hog {
    fn fill(folder: &Path) -> Self {
        let path = folder.join("hog");
        let mut file = File::create(&path).unwrap();
        // Pages, then single bytes: until nothing fits any more.
        for piece in [vec![1; 4096], vec![1]] {
            while file.write_all(&piece).is_ok() {}
        }
        Self(path)
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// Runs the body on a small file system of its own, in a copy of this program that is started
/// with the arguments.
///
/// Says whether it ran: a machine may forbid everybody but root to mount, or root as well.
pub(crate) fn run_on_small_disk(arguments: &[&str], body: impl FnOnce(Disk)) -> bool {
    if let Some(folder) = std::env::var_os(SMALL_DISK) {
        body(Disk::Small(folder.into()));
        return true;
    }
    let Some(privileges) = ["--mount", "-rm"].into_iter().find(|flag| may_mount(flag)) else {
        return false;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size={SMALL_BYTES} tmpfs \"${SMALL_DISK}\" && exec \"$0\" \"$@\""
    );
    let status = Command::new("unshare")
        .args([privileges, "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .env(SMALL_DISK, folder.path())
        .status();
    assert!(
        status.unwrap().success(),
        "the run on the small disk failed"
    );
    true
}

/// Whether this user may mount file systems in a name space of its own.
fn may_mount(flag: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("unshare")
        .args([flag, "mount", "-t", "tmpfs", "tmpfs"])
        .arg(folder.path())
        .stderr(std::process::Stdio::null())
        .status();
    mounted.is_ok_and(|status| status.success())
}
