//! What holds of states as a whole; what holds of one file is tested in it.

mod concurrency;
mod crashes;
mod cuts;
mod laws;
mod locks;
mod objects;
mod recovery;
mod samples;
mod sessions;
