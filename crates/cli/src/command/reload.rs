//! `straylight reload`: lets runs at work take their deployment and hooks anew.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use straylight::run::{RunRecord, running};

use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Arguments of `straylight reload`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight reload
  straylight reload --deployment D
  kill -USR1 PID

A run that is told to reload (or gets the signal USR1) loads its deployment, OOD model and hooks
anew while it goes on, and changes over between two images: none is lost. If anything cannot be
loaded, the run goes on as it was, and the reason is told here and there. A hook of which only
trigger and limits change keeps its queue and its counters; others end, and begin anew.")]
pub(crate) struct Arguments {
    /// Only runs with the deployment of this folder.
    #[arg(long, value_name = "FOLDER", env = "STRAYLIGHT_DEPLOYMENT")]
    deployment: Option<PathBuf>,
    /// Only the run of this process.
    #[arg(long, value_name = "ID")]
    pid: Option<u32>,
    /// How many seconds to wait for the answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    /// Print one line of JSON for each run.
    #[arg(long)]
    json: bool,
}

/// How often a run's answer is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Tells the runs, and waits for their answers.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let runs = arguments.runs()?;
    if runs.is_empty() {
        return Err(
            "no such run is at work; `straylight run SOURCE --deployment D` starts one".into(),
        );
    }
    for run in &runs {
        signal::send(run.pid).map_err(|error| format!("process {}: {error}", run.pid))?;
    }
    let until = Instant::now() + Duration::from_secs(arguments.timeout);
    let mut exit = Exit::Success;
    for run in &runs {
        let answer = answer(run, until);
        arguments.tell(run, answer.as_ref().err())?;
        if answer.is_err() {
            exit = Exit::Failure;
        }
    }
    Ok(exit)
}

impl Arguments {
    fn runs(&self) -> Result<Vec<RunRecord>, Failure> {
        let canonical = |folder: &PathBuf| folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let deployment = self.deployment.as_ref().map(canonical);
        let mut runs = running()?;
        runs.retain(|run| {
            deployment
                .as_ref()
                .is_none_or(|folder| run.deployment == *folder)
                && self.pid.is_none_or(|pid| run.pid == pid)
        });
        Ok(runs)
    }

    fn tell(&self, run: &RunRecord, error: Option<&String>) -> Result<(), Failure> {
        if self.json {
            return output::json_line(&json!({
                "pid": run.pid,
                "deployment": run.deployment,
                "sources": run.sources,
                "reloaded": error.is_none(),
                "error": error,
            }));
        }
        let what = format!("run {} ({})", run.pid, run.sources.join(", "));
        match error {
            None => output::line(&format!("reloaded: {what}")),
            Some(error) => output::note(&format!("not reloaded: {what}: {error}")),
        }
        Ok(())
    }
}

/// Waits for the answer of a run: nothing, or why it goes on as it was.
fn answer(run: &RunRecord, until: Instant) -> Result<(), String> {
    loop {
        let runs = running().map_err(|error| error.to_string())?;
        let Some(now) = runs.into_iter().find(|now| now.pid == run.pid) else {
            return Err("it has ended".to_owned());
        };
        if now.reloads > run.reloads {
            return now.error.map_or(Ok(()), Err);
        }
        if Instant::now() >= until {
            return Err("it gave no answer in time; it may still reload".to_owned());
        }
        thread::sleep(LOOK);
    }
}

/// The signal that tells a run to reload.
#[cfg(unix)]
pub(crate) mod signal {
    use std::io;
    use std::thread::Scope;

    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::consts::SIGUSR1;
    use signal_hook::iterator::{Handle, Signals};

    /// Sends it to a process.
    pub(super) fn send(pid: u32) -> io::Result<()> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(kill_process(pid, Signal::USR1)?)
    }

    /// Listens to it until it is dropped.
    pub(crate) struct Listening(Handle);

    impl Drop for Listening {
        fn drop(&mut self) {
            self.0.close();
        }
    }

    /// Calls `reload` each time this process gets it.
    pub(crate) fn listen<'scope>(
        scope: &'scope Scope<'scope, '_>,
        reload: impl Fn() + Send + 'scope,
    ) -> io::Result<Listening> {
        let mut signals = Signals::new([SIGUSR1])?;
        let listening = Listening(signals.handle());
        scope.spawn(move || signals.forever().for_each(|_| reload()));
        Ok(listening)
    }
}

/// Systems without signals have no way to tell a run.
#[cfg(not(unix))]
pub(crate) mod signal {
    use std::io;
    use std::thread::Scope;

    pub(super) fn send(_: u32) -> io::Result<()> {
        Err(io::Error::other(
            "runs cannot be told to reload on this system: start it again",
        ))
    }

    pub(crate) fn listen<'scope>(
        _: &'scope Scope<'scope, '_>,
        _: impl Fn() + Send + 'scope,
    ) -> io::Result<()> {
        Ok(())
    }
}
