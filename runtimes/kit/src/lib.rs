//! What the runtime servers share: settings, health, logging, shutdown.
