use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::{AsyncInference, InferenceResult, Input};
use crate::DeployError;

/// A result of a stream.
#[derive(Debug)]
pub struct Inferred {
    /// Position of the image among the inputs, from 0.
    pub index: u64,
    /// The image and its prediction, or why there is none.
    pub outcome: InferenceResult,
}

/// Results in the order of the images; made by [`Deployment::infer_ordered`](crate::Deployment::infer_ordered).
#[derive(Debug)]
pub struct OrderedStream<I> {
    source: Source<I>,
    waiting: VecDeque<(u64, Receiver<InferenceResult>)>,
}

impl<I> OrderedStream<I> {
    pub(super) fn new(workers: AsyncInference, inputs: I) -> Self {
        Self {
            source: Source {
                workers,
                inputs,
                taken: 0,
            },
            waiting: VecDeque::new(),
        }
    }
}

impl<I> Iterator for OrderedStream<I>
where
    I: Iterator,
    I::Item: Into<Input>,
{
    type Item = Inferred;

    fn next(&mut self) -> Option<Inferred> {
        while self.waiting.len() < self.source.workers.bound() {
            let (sender, receiver) = channel();
            let Some((index, sent)) = self.source.submit(|_| answer(sender)) else {
                break;
            };
            self.waiting.push_back((index, receiver));
            if sent.is_err() {
                break;
            }
        }
        let (index, receiver) = self.waiting.pop_front()?;
        // A worker that lost its image without an answer has dropped the sender.
        let outcome = receiver.recv().unwrap_or(Err(DeployError::Closed));
        Some(Inferred { index, outcome })
    }
}

fn answer(sender: Sender<InferenceResult>) -> impl FnOnce(InferenceResult) + Send {
    // Nobody listens any more when the stream was dropped.
    move |outcome| drop(sender.send(outcome))
}

/// Results as they are ready; made by [`Deployment::infer_unordered`](crate::Deployment::infer_unordered).
#[derive(Debug)]
pub struct UnorderedStream<I> {
    source: Source<I>,
    sender: Sender<Inferred>,
    receiver: Receiver<Inferred>,
    waiting: usize,
}

impl<I> UnorderedStream<I> {
    pub(super) fn new(workers: AsyncInference, inputs: I) -> Self {
        let (sender, receiver) = channel();
        Self {
            source: Source {
                workers,
                inputs,
                taken: 0,
            },
            sender,
            receiver,
            waiting: 0,
        }
    }
}

impl<I> Iterator for UnorderedStream<I>
where
    I: Iterator,
    I::Item: Into<Input>,
{
    type Item = Inferred;

    fn next(&mut self) -> Option<Inferred> {
        while self.waiting < self.source.workers.bound() {
            let sender = self.sender.clone();
            let submitted = self.source.submit(|index| {
                let answer = Answer {
                    index,
                    sender,
                    outcome: Some(Err(DeployError::Closed)),
                };
                |outcome| answer.give(outcome)
            });
            let Some((_, sent)) = submitted else { break };
            self.waiting += 1;
            if sent.is_err() {
                break;
            }
        }
        self.waiting = self.waiting.checked_sub(1)?;
        self.receiver.recv().ok()
    }
}

/// Sends its outcome when it is dropped, so that every image has exactly one answer, also when
/// its worker panicked.
struct Answer {
    index: u64,
    sender: Sender<Inferred>,
    outcome: Option<InferenceResult>,
}

impl Answer {
    fn give(mut self, outcome: InferenceResult) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome.take() {
            // Nobody listens any more when the stream was dropped.
            let _ = self.sender.send(Inferred {
                index: self.index,
                outcome,
            });
        }
    }
}

/// The inputs and the workers that they go to.
#[derive(Debug)]
struct Source<I> {
    workers: AsyncInference,
    inputs: I,
    taken: u64,
}

impl<I> Source<I>
where
    I: Iterator,
    I::Item: Into<Input>,
{
    /// Hands the next input to the workers; `None` after the last one.
    fn submit<D>(&mut self, done: impl FnOnce(u64) -> D) -> Option<(u64, Result<(), DeployError>)>
    where
        D: FnOnce(InferenceResult) + Send + 'static,
    {
        let input = self.inputs.next()?;
        let index = self.taken;
        self.taken += 1;
        Some((index, self.workers.submit(input, done(index))))
    }
}
