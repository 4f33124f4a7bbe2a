//! Triggers made of triggers. The score of a combination is 1 when it holds and 0 when not:
//! scores of different triggers have no common scale.

use straylight_core::{Frame, Prediction};

use super::{Needs, Trigger, TriggerError};
use crate::config::{NotTriggerConfig, TriggerConfig, TriggerListConfig};

/// Fires when all of its triggers fire; without triggers it fires always.
pub struct AndTrigger(pub Vec<Box<dyn Trigger>>);

/// Fires when any of its triggers fires; without triggers it never fires.
pub struct OrTrigger(pub Vec<Box<dyn Trigger>>);

/// Fires when its trigger does not.
pub struct NotTrigger(pub Box<dyn Trigger>);

fn fires(
    trigger: &dyn Trigger,
    frame: &Frame,
    prediction: &Prediction,
) -> Result<bool, TriggerError> {
    Ok(trigger.decide(trigger.score(frame, prediction)?))
}

/// Whether one of the triggers decides like `wanted`; those after it are not asked.
fn any_is(
    triggers: &[Box<dyn Trigger>],
    wanted: bool,
    frame: &Frame,
    prediction: &Prediction,
) -> Result<bool, TriggerError> {
    for trigger in triggers {
        if fires(trigger.as_ref(), frame, prediction)? == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

fn needs(triggers: &[Box<dyn Trigger>]) -> Needs {
    triggers
        .iter()
        .map(|trigger| trigger.needs())
        .fold(Needs::NOTHING, Needs::union)
}

fn configs(triggers: &[Box<dyn Trigger>]) -> Option<TriggerListConfig> {
    let triggers = triggers
        .iter()
        .map(|trigger| trigger.config())
        .collect::<Option<_>>()?;
    Some(TriggerListConfig { triggers })
}

fn names(triggers: &[Box<dyn Trigger>], between: &str) -> String {
    triggers
        .iter()
        .map(|trigger| trigger.name())
        .collect::<Vec<_>>()
        .join(between)
}

fn as_score(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

impl Trigger for AndTrigger {
    fn name(&self) -> &'static str {
        "AndTrigger"
    }

    fn needs(&self) -> Needs {
        needs(&self.0)
    }

    fn score(&self, frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        Ok(as_score(!any_is(&self.0, false, frame, prediction)?))
    }

    fn decide(&self, score: f64) -> bool {
        score > 0.5
    }

    fn reason(&self, _score: f64) -> String {
        names(&self.0, " and ")
    }

    fn config(&self) -> Option<TriggerConfig> {
        configs(&self.0).map(TriggerConfig::AndTrigger)
    }
}

impl Trigger for OrTrigger {
    fn name(&self) -> &'static str {
        "OrTrigger"
    }

    fn needs(&self) -> Needs {
        needs(&self.0)
    }

    fn score(&self, frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        Ok(as_score(any_is(&self.0, true, frame, prediction)?))
    }

    fn decide(&self, score: f64) -> bool {
        score > 0.5
    }

    fn reason(&self, _score: f64) -> String {
        names(&self.0, " or ")
    }

    fn config(&self) -> Option<TriggerConfig> {
        configs(&self.0).map(TriggerConfig::OrTrigger)
    }
}

impl Trigger for NotTrigger {
    fn name(&self) -> &'static str {
        "NotTrigger"
    }

    fn needs(&self) -> Needs {
        self.0.needs()
    }

    fn score(&self, frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        Ok(as_score(!fires(self.0.as_ref(), frame, prediction)?))
    }

    fn decide(&self, score: f64) -> bool {
        score > 0.5
    }

    fn reason(&self, _score: f64) -> String {
        format!("not {}", self.0.name())
    }

    fn config(&self) -> Option<TriggerConfig> {
        let trigger = Box::new(self.0.config()?);
        Some(TriggerConfig::NotTrigger(NotTriggerConfig { trigger }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{frame, prediction};
    use crate::trigger::{AlwaysTrigger, LabelMode, LabelTrigger};

    fn label(name: &str) -> Box<dyn Trigger> {
        Box::new(LabelTrigger::new(vec![name.to_owned()], LabelMode::Or))
    }

    #[test]
    fn combinations_follow_logic() {
        let dog = prediction(&[("dog", 0.9)]);
        let and = |names: &[&str]| AndTrigger(names.iter().map(|name| label(name)).collect());
        let or = |names: &[&str]| OrTrigger(names.iter().map(|name| label(name)).collect());
        let holds = |trigger: &dyn Trigger| fires(trigger, &frame("x"), &dog).unwrap();
        assert!(holds(&and(&["dog"])) && !holds(&and(&["dog", "cat"])) && holds(&and(&[])));
        assert!(holds(&or(&["cat", "dog"])) && !holds(&or(&["cat"])) && !holds(&or(&[])));
        assert!(holds(&NotTrigger(label("cat"))) && !holds(&NotTrigger(Box::new(AlwaysTrigger))));
    }

    #[test]
    fn an_error_inside_is_an_error_not_a_decision() {
        struct Broken;
        impl Trigger for Broken {
            fn name(&self) -> &'static str {
                "Broken"
            }
            fn score(&self, _: &Frame, _: &Prediction) -> Result<f64, TriggerError> {
                Err(TriggerError::failed("Broken", "no"))
            }
            fn decide(&self, _: f64) -> bool {
                true
            }
        }
        let not = NotTrigger(Box::new(Broken));
        assert!(not.score(&frame("x"), &Prediction::default()).is_err());
        assert!(not.config().is_none());
    }
}
