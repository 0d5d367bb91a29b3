//! Reads a stream of events, one JSON object a line.

use bytes::{Buf, BytesMut};
use futures::Stream;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::ClientError;
use super::transport::Transport;
use crate::messages::{Event, EventBody};

/// The longest line that is taken.
const LONGEST_LINE: usize = 4 << 20;

struct Reader {
    transport: Transport,
    body: Incoming,
    buffer: BytesMut,
    done: bool,
}

/// The events of a body. The stream ends after the event that says so; a body that stops before is an error.
pub(super) fn lines(
    transport: Transport,
    body: Incoming,
) -> impl Stream<Item = Result<Event, ClientError>> + use<> {
    let reader = Reader {
        transport,
        body,
        buffer: BytesMut::new(),
        done: false,
    };
    futures::stream::unfold(reader, |mut reader| async move {
        if reader.done {
            return None;
        }
        let event = reader.next().await;
        reader.done = !matches!(&event, Ok(event) if !matches!(event.body, EventBody::End(_)));
        Some((event, reader))
    })
}

impl Reader {
    async fn next(&mut self) -> Result<Event, ClientError> {
        let mut searched = 0;
        loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            if let Some(end) = unsearched.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(searched + end);
                self.buffer.advance(1);
                return serde_json::from_slice(&line)
                    .map_err(|error| self.transport.unreadable(error.to_string()));
            }
            searched = self.buffer.len();
            if searched > LONGEST_LINE {
                return Err(self
                    .transport
                    .unreadable(format!("an event is longer than {LONGEST_LINE} bytes")));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self
                    .buffer
                    .extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(error)) => return Err(self.transport.broken(error.to_string())),
                None => {
                    return Err(self
                        .transport
                        .broken("the events stopped before the job's end".to_owned()));
                }
            }
        }
    }
}
