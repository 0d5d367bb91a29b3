//! Plan, apply and state, with the provider that is built in.

mod input;
mod lifecycle;
mod state;
