use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

/// A program that runs until it is dropped.
pub(crate) struct Program(pub(crate) Child);

impl Program {
    /// Starts a program and waits until a line of its messages has this text in it.
    pub(crate) fn start(command: &mut Command, ready: &str) -> Self {
        let shown = format!("{command:?}");
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{shown}: {error}"));
        let mut messages = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains(ready) {
            let read = messages.read_line(&mut said).unwrap();
            assert!(read > 0, "{shown} ended: {said}");
        }
        // A full pipe would stop it.
        thread::spawn(move || messages.read_to_end(&mut Vec::new()));
        Self(child)
    }

    /// Ends it in order, so that it writes down what it has.
    pub(crate) fn end(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").arg(&id).status().unwrap().success());
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program of the environment that `cargo xtask test peers` makes.
pub(crate) fn installed(name: &str) -> PathBuf {
    let folder = std::env::var_os("STRAYLIGHT_TEST_PEERS");
    let folder =
        folder.expect("run this test with `cargo xtask test peers`: it installs the peers");
    PathBuf::from(folder).join("bin").join(name)
}

/// A port that is free now; below 50,000, as `SeaweedFS` adds 10,000 for another one.
pub(crate) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let other = port.checked_add(10_000);
        if port < 50_000 && other.is_some_and(|port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        {
            return port;
        }
    }
}

/// Waits until somebody listens on a port, as long as the program that should runs.
pub(crate) fn wait_for(port: u16, program: &mut Program) {
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = program.0.try_wait().unwrap();
        assert!(ended.is_none(), "it ended: {ended:?}");
        thread::yield_now();
    }
}
