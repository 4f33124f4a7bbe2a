//! A run that is told to reload: it loads everything anew, and answers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use straylight::run::{HooksReloaded, Reloads, Replacement, RunEntry, build_hooks};

use super::{Arguments, Running, tell_lost};
use crate::exit::Failure;
use crate::output;

/// How a run answers to those who tell it to reload.
pub(super) struct Reloading {
    sources: usize,
    entry: Mutex<Option<RunEntry>>,
    /// Why the hooks of a source could not be exchanged.
    failed: Mutex<Option<String>>,
}

impl Reloading {
    pub(super) fn new(arguments: &Arguments, running: &[Running]) -> Self {
        let names = running.iter().map(|one| one.name.clone()).collect();
        let entry = RunEntry::create(&arguments.deployment, names);
        let entry = entry.unwrap_or_else(|error| {
            output::note(&format!(
                "note: `straylight reload` will not find this run: {error}"
            ));
            None
        });
        Self {
            sources: running.len(),
            entry: Mutex::new(entry),
            failed: Mutex::default(),
        }
    }

    /// Loads everything anew while the run goes on.
    pub(super) fn prepare(&self, arguments: &Arguments, reloads: &Reloads) {
        match arguments.replacement(self.sources) {
            Ok(replacement) => reloads.offer(replacement),
            Err(failure) => {
                let error = failure.error.to_string();
                output::note(&format!("not reloaded, the run goes on as it was: {error}"));
                self.answer(Some(error));
            }
        }
    }

    /// A source has other hooks now.
    pub(super) fn done(
        &self,
        source: usize,
        one: &mut Running,
        reloaded: HooksReloaded,
    ) -> Result<(), Failure> {
        if let Err(error) = &reloaded {
            *self.failed() = Some(format!("{}: {error}", one.name));
        }
        if source + 1 == self.sources {
            let failed = self.failed().take();
            if failed.is_none() {
                output::note("reloaded: deployment, OOD model and hooks");
            }
            self.answer(failed);
        }
        let (ended, lost) = reloaded?;
        let stats = one.hooks.stats().into_iter();
        one.hook_names = stats.map(|stats| stats.hook).collect();
        for stats in ended {
            output::note(&format!(
                "{}: the hook {} ended: {} fired, {} delivered",
                one.name, stats.hook, stats.run.fired, stats.run.delivered
            ));
        }
        tell_lost(&lost);
        Ok(())
    }

    fn failed(&self) -> MutexGuard<'_, Option<String>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, error: Option<String>) {
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(error)) = entry.as_mut().map(|entry| entry.reloaded(error)) {
            output::note(&format!("note: the answer cannot be written: {error}"));
        }
    }
}

impl Arguments {
    /// What the run goes on with, loaded and checked.
    fn replacement(&self, sources: usize) -> Result<Replacement, Failure> {
        let (deployment, configs) = (self.load()?, self.configs()?);
        let hooks = (0..sources).map(|_| build_hooks(&deployment, &configs));
        Ok(Replacement {
            hooks: hooks.collect::<Result<_, _>>()?,
            deployment,
            drain: self.drain_options(false),
        })
    }
}
