//! Where threads take turns.

use std::fmt::{self, Display};
use std::io::Write;
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::asleep::Sleeper;
use crate::columns::{self, Columns};
use crate::panics::OnStage;

/// A schedule, and the threads that keep to it.
///
/// A thread [enters](Self::enter) under a name, and says at each
/// [step](Actor::step) what it does next. It then waits until the schedule
/// names it; and nobody else goes on before it comes to its next step, or
/// leaves, or says that it [waits](Actor::waits) for somebody.
///
/// A clone is the same stage, for a thread that may outlive its maker.
///
/// ```
/// use std::thread;
/// use manyhands_museum::Stage;
///
/// let stage = Stage::new(&["tock", "tick", "tock"], Box::new(std::io::sink()));
/// thread::scope(|scope| {
///     scope.spawn(|| stage.enter("tick").step("ticks"));
///     let tock = stage.enter("tock");
///     tock.step("tocks");
///     tock.step("tocks again");
/// });
/// let order: Vec<_> = stage.events().iter().map(|it| it.who).collect();
/// assert_eq!(order, ["tock", "tick", "tock"]);
/// ```
#[derive(Clone)]
pub struct Stage {
    shared: Arc<Shared>,
}

struct Shared {
    schedule: &'static [&'static str],
    play: Mutex<Play>,
    changed: Condvar,
}

struct Play {
    /// How much of the schedule is over.
    position: usize,
    /// Who goes on now.
    holder: Option<&'static str>,
    events: Vec<Event>,
    /// How often something has changed.
    moves: u64,
    is_over: bool,
    waiting: Waiting,
    /// Who said so last. It must be seen to do so before others go on.
    sleeper: Option<Sleeper>,
    columns: Columns,
    out: Box<dyn Write + Send>,
}

/// Those who said that they wait, and for what, and have not been heard of
/// since.
type Waiting = Vec<(&'static str, String)>;

/// Something that happened on a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who did it; empty for what is no thread's.
    pub who: &'static str,
    /// What was done, or is waited for.
    pub what: String,
    /// The line of the file where it was said.
    pub line: u32,
    /// Whether it is waiting.
    pub waits: bool,
}

/// A thread on a stage, until it is dropped.
#[derive(Debug)]
pub struct Actor<'a> {
    stage: &'a Stage,
    name: &'static str,
    _on_stage: OnStage,
}

impl Stage {
    /// A stage whose threads go on in this order. What happens is written to
    /// `out`, a line a step.
    pub fn new(
        schedule: &'static [&'static str],
        out: Box<dyn Write + Send>,
    ) -> Self {
        let play = Play {
            position: 0,
            holder: None,
            events: Vec::new(),
            moves: 0,
            is_over: false,
            waiting: Vec::new(),
            sleeper: None,
            columns: Columns::new(names(schedule)),
            out,
        };
        let changed = Condvar::new();
        let shared = Shared { schedule, play: Mutex::new(play), changed };
        Self { shared: Arc::new(shared) }
    }

    fn play(&self) -> MutexGuard<'_, Play> {
        self.shared.play.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calling thread is on the stage from now on.
    pub fn enter(&self, name: &'static str) -> Actor<'_> {
        let _on_stage = OnStage::new(self, name);
        Actor { stage: self, name, _on_stage }
    }

    /// Writes a line that is no thread's turn.
    #[track_caller]
    pub fn say(&self, what: impl Display) {
        self.note(what.to_string(), Location::caller().line());
    }

    /// What happened on a line of the code that is nobody's turn.
    pub(crate) fn note(&self, what: String, line: u32) {
        self.play().tell(Event { who: "", what, line, waits: false });
    }

    /// What has happened.
    pub fn events(&self) -> Vec<Event> {
        self.play().events.clone()
    }

    /// Writes the names, if any, each above what it is going to do.
    pub(crate) fn head(&self) {
        let mut play = self.play();
        if !self.shared.schedule.is_empty() {
            let head = play.columns.head();
            play.write(&head);
        }
    }

    /// The act is over.
    pub(crate) fn end(&self) {
        self.play().is_over = true;
        self.shared.changed.notify_all();
    }

    /// Waits for the end of the act. If nobody moves for so long, or for
    /// `after` once the schedule is over, says who waits for what.
    pub(crate) fn until_end(
        &self,
        limit: Duration,
        after: Duration,
    ) -> Option<Waiting> {
        let mut play = self.play();
        while !play.is_over {
            let seen = play.moves;
            let is_played = play.position == self.shared.schedule.len();
            let limit = if is_played { after } else { limit };
            let (now, timeout) = self
                .shared
                .changed
                .wait_timeout(play, limit)
                .unwrap_or_else(PoisonError::into_inner);
            play = now;
            if timeout.timed_out() && play.moves == seen && !play.is_over {
                return Some(play.waiting.clone());
            }
        }
        None
    }

    fn take_turn(&self, name: &'static str, event: Event) {
        let mut play = self.play();
        let Shared { schedule, changed, .. } = &*self.shared;
        play.lay_down(name);
        changed.notify_all();
        while play.holder.is_some()
            || schedule.get(play.position) != Some(&name)
        {
            play = changed.wait(play).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(sleeper) = play.sleeper.take() {
            sleeper.wait();
        }
        play.position += 1;
        play.waiting.retain(|(who, _)| *who != name);
        if event.waits {
            play.waiting.push((name, event.what.clone()));
            play.sleeper = Some(Sleeper::this_thread());
        } else {
            play.holder = Some(name);
        }
        play.tell(event);
        changed.notify_all();
    }

    fn leave(&self, name: &'static str) {
        let mut play = self.play();
        play.lay_down(name);
        play.moves += 1;
        play.waiting.retain(|(who, _)| *who != name);
        self.shared.changed.notify_all();
    }
}

fn names(schedule: &[&'static str]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in schedule {
        if !names.contains(name) {
            names.push(*name);
        }
    }
    names
}

impl Play {
    /// The turn of this one is over, if it was its turn.
    fn lay_down(&mut self, name: &str) {
        if self.holder == Some(name) {
            self.holder = None;
        }
    }

    fn tell(&mut self, event: Event) {
        let text = match event.who {
            "" => columns::across(&event.what),
            who => self.columns.line(self.position, who, &event.what),
        };
        self.write(&text);
        self.moves += 1;
        self.events.push(event);
    }

    /// A reader that has gone is no reason to stop.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }
}

impl Actor<'_> {
    /// Says what is done next, and waits for the turn to do it.
    #[track_caller]
    pub fn step(&self, what: impl Display) {
        self.turn(what.to_string(), Location::caller().line(), false);
    }

    /// Says what is waited for next, and waits for the turn to do so. Others
    /// go on from here.
    #[track_caller]
    pub fn waits(&self, what: impl Display) {
        self.turn(what.to_string(), Location::caller().line(), true);
    }

    fn turn(&self, what: String, line: u32, waits: bool) {
        let who = self.name;
        self.stage.take_turn(who, Event { who, what, line, waits });
    }
}

impl Drop for Actor<'_> {
    fn drop(&mut self) {
        self.stage.leave(self.name);
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("schedule", &self.shared.schedule)
            .finish_non_exhaustive()
    }
}
