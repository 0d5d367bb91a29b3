//! Shows what an apply does while it does it.

use std::sync::Arc;

use super::context::Context;
use crate::apply::{Event, Happening, Sink};
use crate::plan::Action;

/// Whoever watches an apply.
pub struct Watch {
    sink: Sink,
}

impl Watch {
    /// Begins to watch.
    pub fn start(_: &Context, _json: bool) -> Watch {
        Watch {
            sink: Arc::new(show),
        }
    }

    /// Takes what happens.
    pub fn sink(&self) -> Sink {
        Arc::clone(&self.sink)
    }

    /// Ends.
    pub fn finish(self) {}
}

fn show(event: Event) {
    let Event {
        address,
        action,
        happening,
    } = event;
    let doing = match action {
        Action::Create => "Creating",
        Action::Update => "Modifying",
        Action::Delete => "Destroying",
        _ => "Reading",
    };
    match happening {
        Happening::Started(_) => println!("{address}: {doing}..."),
        Happening::Progress(event) => println!("{address}: {event:?}"),
        Happening::Finished(id, elapsed) => {
            println!(
                "{address}: {doing} complete after {}s {id:?}",
                elapsed.as_secs()
            );
        }
        Happening::Failed(_) => {}
    }
}
