//! Panics on a stage, in a process of their own: the hook is the process's.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::sync::{Arc, Mutex};
use std::{io, panic, thread};

use manyhands_museum::{Act, Ends, Stage, play};

#[test]
fn a_panic_on_the_stage_is_in_the_play_and_no_other_is() {
    fn act(stage: &Stage) {
        let _ = thread::scope(|scope| {
            scope
                .spawn(|| {
                    let actor = stage.enter("actor");
                    actor.step("panics");
                    panic!("as it should");
                })
                .join()
        });
        // Not on the stage.
        let _ = thread::spawn(|| panic!("elsewhere")).join();
    }
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let what = info.payload().downcast_ref::<&str>().copied();
        ear.lock().unwrap().push(what.unwrap_or_default());
    }));
    let act = Act {
        source: "",
        anchor: "",
        schedule: &["actor"],
        run: act,
        ends: Ends::Returns,
    };
    let played = play(&act, io::sink());
    let _ = thread::spawn(|| panic!("afterwards")).join();
    panic::set_hook(before);

    assert_eq!(played.ends, Ends::Returns);
    let events = played.stage.events();
    assert_eq!(events[1].what, "actor panics: as it should");
    assert_eq!(events.len(), 2);
    assert_eq!(*heard.lock().unwrap(), ["elsewhere", "afterwards"]);
}
