//! `straylight queue`: hooks' queues on disk, seen from outside.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use straylight::hooks::{EventId, Ledger, QueueFolder, QueuedEvent};

use crate::command::steps;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Arguments of `straylight queue`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight queue --state hook-state stats
  straylight queue --state hook-state ls --dead
  straylight queue --state hook-state retry --hook strays --all")]
pub(crate) struct Arguments {
    /// Folder of the hooks' queues.
    #[arg(
        long,
        env = "STRAYLIGHT_HOOK_STATE",
        value_name = "FOLDER",
        global = true
    )]
    state: Option<PathBuf>,
    /// Only the queue of this hook.
    #[arg(long, global = true)]
    hook: Option<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List events, oldest first.
    Ls {
        /// Only dead letters.
        #[arg(long)]
        dead: bool,
    },
    /// Show one event with its prediction and the file of its image.
    Show {
        /// Its id.
        id: EventId,
    },
    /// Let dead letters wait for delivery again.
    Retry(Chosen),
    /// Give events up.
    Drop(Chosen),
    /// Show what became of all events of a queue, over all runs:
    /// fired = delivered + queued + dropped + dead.
    Stats,
}

/// Which events.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Chosen {
    /// Their ids.
    ids: Vec<EventId>,
    /// All dead letters.
    #[arg(long)]
    all: bool,
}

/// Looks, retries or drops.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let queues = arguments.queues()?;
    match &arguments.what {
        What::Ls { dead } => list(arguments, &queues, *dead)?,
        What::Show { id } => return show(&queues, *id),
        What::Retry(chosen) => {
            let done = change(&queues, chosen, QueueFolder::retry)?;
            let text = format!("{done} dead letters wait again");
            output::answer(arguments.json, &text, &json!({ "retried": done }))?;
        }
        What::Drop(chosen) => {
            let done = change(&queues, chosen, QueueFolder::discard)?;
            let text = format!("{done} events are given up");
            output::answer(arguments.json, &text, &json!({ "dropped": done }))?;
        }
        What::Stats => stats(arguments, &queues)?,
    }
    Ok(Exit::Success)
}

impl Arguments {
    fn queues(&self) -> Result<Vec<QueueFolder>, Failure> {
        let folder = self
            .state
            .as_ref()
            .ok_or("name the folder of the queues with --state")?;
        let mut queues = QueueFolder::all(folder)?;
        if let Some(hook) = &self.hook {
            queues.retain(|queue| queue.hook() == hook);
            if queues.is_empty() {
                return Err(
                    format!("no hook named `{hook}` has a queue in {}", folder.display()).into(),
                );
            }
        }
        Ok(queues)
    }
}

fn list(arguments: &Arguments, queues: &[QueueFolder], only_dead: bool) -> Result<(), Failure> {
    let mut all = Vec::new();
    for queue in queues {
        let events = queue.events()?.into_iter();
        let wanted = events.filter(|event| !only_dead || event.died_at.is_some());
        all.extend(wanted.map(|event| (queue.hook(), event)));
    }
    if arguments.json {
        let all: Vec<Value> = all
            .iter()
            .map(|(hook, event)| as_json(hook, event))
            .collect();
        return output::json(&all, "-".as_ref());
    }
    for (hook, event) in &all {
        let state = state_of(event);
        let QueuedEvent {
            id,
            name,
            score,
            attempts,
            error,
            ..
        } = event;
        output::line(&format!(
            "{id}  {state:7}  {hook}  {name}  {score:.3}  {attempts}  {error}"
        ));
    }
    Ok(())
}

/// Whether the event waits, has been given up, or may yet be the best of its window.
fn state_of(event: &QueuedEvent) -> &'static str {
    match (event.died_at, event.held) {
        (Some(_), _) => "dead",
        (None, true) => "held",
        (None, false) => "waiting",
    }
}

fn show(queues: &[QueueFolder], id: EventId) -> Outcome {
    for queue in queues {
        if let Some(details) = queue.show(id)? {
            let mut value = as_json(queue.hook(), &details.event);
            value["key"] = json!(details.key);
            value["image"] = json!(details.image);
            value["labels"] = json!(details.prediction.label_names());
            output::json(&value, "-".as_ref())?;
            return Ok(Exit::Success);
        }
    }
    Err(format!("no queue holds an event {id}").into())
}

fn change(
    queues: &[QueueFolder],
    chosen: &Chosen,
    apply: impl Fn(&QueueFolder, &[EventId]) -> Result<usize, straylight::hooks::JournalError>,
) -> Result<usize, Failure> {
    let mut done = 0;
    for queue in queues {
        let dead = queue
            .events()?
            .into_iter()
            .filter(|event| event.died_at.is_some());
        let ids = if chosen.all {
            dead.map(|event| event.id).collect()
        } else {
            chosen.ids.clone()
        };
        done += apply(queue, &ids)?;
    }
    if !chosen.all && done < chosen.ids.len() {
        let missing = chosen.ids.len() - done;
        return Err(format!("{done} done; {missing} of the ids are not there").into());
    }
    Ok(done)
}

fn stats(arguments: &Arguments, queues: &[QueueFolder]) -> Result<(), Failure> {
    let ledgers = queues
        .iter()
        .map(|queue| Ok((queue.hook(), queue.ledger()?)));
    let ledgers = ledgers.collect::<Result<Vec<(&str, Ledger)>, Failure>>()?;
    if arguments.json {
        let all: Vec<Value> = ledgers
            .iter()
            .map(|(hook, ledger)| statistics(hook, ledger))
            .collect();
        return output::json(&all, "-".as_ref());
    }
    for (hook, ledger) in &ledgers {
        output::line(&format!(
            "{hook}: {} fired = {} delivered + {} queued + {} dropped + {} dead",
            ledger.fired,
            ledger.delivered,
            ledger.queued,
            ledger.total_dropped(),
            ledger.dead
        ));
    }
    Ok(())
}

fn statistics(hook: &str, ledger: &Ledger) -> Value {
    let mut value = steps::fates(ledger);
    value["hook"] = json!(hook);
    value
}

fn as_json(hook: &str, event: &QueuedEvent) -> Value {
    json!({
        "id": event.id.to_string(),
        "hook": hook,
        "state": state_of(event),
        "name": event.name,
        "fired_at": event.fired_at,
        "score": event.score,
        "reason": event.reason,
        "bytes": event.bytes,
        "attempts": event.attempts,
        "error": event.error,
        "died_at": event.died_at,
    })
}
