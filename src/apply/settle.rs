//! Settles what a killed run left open: operations that were begun and whose answer was not
//! recorded.

use std::sync::Arc;

use mlinfra_sdk::{Configure, Context, Find, Read, Session, Value};

use crate::config::Tree;
use crate::diag::{Diagnostic, Diagnostics};
use crate::module::{Expand, Nodes, Repetition, Values, decode_block};
use crate::provider::{Call, Host, Sessions, failure_diagnostic};
use crate::state::{Intent, Object, Operation, Outcome, ProviderRef, State};

/// Asks the providers what became of every open operation, and records it. What was created is in
/// state afterwards, so that no object is orphaned or made twice.
///
/// # Errors
/// When a provider cannot tell; then the operation stays open, and nothing else should be done.
pub async fn settle(
    tree: &Tree,
    nodes: &Nodes,
    expand: &Expand<'_>,
    host: &Host,
    state: &State,
    context: &Context,
) -> Result<Vec<String>, Diagnostics> {
    let sessions = Sessions::default();
    let mut settled = Vec::new();
    let mut diagnostics = Diagnostics::new();
    for intent in state.open_intents() {
        let session = session_of(host, tree, nodes, expand, &sessions, &intent.provider).await;
        let outcome = match session {
            Ok(session) => outcome(host, state, &intent, &session, context).await,
            Err(d) => Err(d),
        };
        let Some(outcome) = diagnostics.keep(outcome) else {
            continue;
        };
        let made = matches!(outcome, Outcome::Is(_));
        if let Err(e) = state.finish(&intent.token, outcome).await {
            diagnostics.push(e.into());
            continue;
        }
        settled.push(format!(
            "{}: an earlier run was cut off while it was to {} it; {}",
            intent.address,
            intent.operation,
            if made {
                "what it made was found"
            } else {
                "nothing was left of that"
            }
        ));
    }
    diagnostics.into_result(settled)
}

async fn outcome(
    host: &Host,
    state: &State,
    intent: &Intent,
    session: &Arc<dyn Session>,
    context: &Context,
) -> Result<Outcome, Diagnostics> {
    let address = &intent.address;
    let schema = host.schema(&intent.provider.name, &address.resource)?;
    let call = Call {
        session,
        ty: &address.resource.ty,
        schema: &schema,
        context,
    };
    let failed = |f| Diagnostics::from(failure_diagnostic(&f, None).about(address));
    let unreadable = |e: String| {
        Diagnostics::from(
            Diagnostic::error(
                "An interrupted operation cannot be settled",
                format!("What was recorded of {address} cannot be read: {e}."),
            )
            .about(address),
        )
    };
    match intent.operation {
        Operation::Create => {
            let planned = match &intent.planned {
                Some(planned) => planned
                    .decode(&schema)
                    .map_err(|e| unreadable(e.to_string()))?,
                None => Value::unknown(schema.ty()),
            };
            let plain = planned.unmark_deep().0;
            let request = Find {
                token: intent.token.as_str(),
                planned: &plain,
            };
            let Some(found) = call.find(request).await.map_err(failed)? else {
                return Ok(Outcome::Unchanged);
            };
            let sensitive = intent.planned.as_ref().map(|p| p.sensitive.clone());
            let value = crate::state::paths::mark_sensitive(found, &sensitive.unwrap_or_default());
            let mut object =
                Object::encode(&value, &schema).map_err(|e| unreadable(e.to_string()))?;
            object.protected = schema.holds_data;
            Ok(Outcome::Is(Arc::new(object)))
        }
        // Reading the object again, as every plan does, shows what an update did.
        Operation::Update => Ok(Outcome::Unchanged),
        Operation::Delete => {
            let deposed = intent.deposed.as_deref();
            let Some(object) = state.object(address, deposed) else {
                return Ok(Outcome::Unchanged);
            };
            let prior = object
                .decode(&schema)
                .map_err(|e| unreadable(e.to_string()))?;
            let prior = prior.unmark_deep().0;
            let found = call.read(Read { prior: &prior }).await.map_err(failed)?;
            Ok(match found {
                Some(_) => Outcome::Unchanged,
                None => Outcome::Gone,
            })
        }
    }
}

/// A session with the provider configuration that manages an object, configured anew where the
/// walk has not done so.
pub(super) async fn session_of(
    host: &Host,
    tree: &Tree,
    nodes: &Nodes,
    expand: &Expand<'_>,
    sessions: &Sessions,
    wanted: &ProviderRef,
) -> Result<Arc<dyn Session>, Diagnostics> {
    for (id, config) in nodes.providers.iter() {
        if config.provider == wanted.name
            && config.alias == wanted.alias
            && let Some(session) = sessions.get(id)
        {
            return Ok(session);
        }
    }
    let provider = host.provider(&wanted.name)?;
    let schema = &provider.schema().config;
    let blocks = tree.root().declarations.providers.iter();
    let block = blocks
        .into_iter()
        .find(|b| b.name == wanted.name && b.alias == wanted.alias);
    let mut diagnostics = Diagnostics::new();
    let config = match block {
        Some(block) => expand.with_scope(Values::ROOT, &Repetition::default(), None, |scope| {
            decode_block(&block.arguments, schema, scope, &mut diagnostics)
        }),
        None => Value::object(
            schema
                .attributes
                .iter()
                .map(|(name, a)| (Arc::clone(name), Value::null(a.ty.clone()))),
        ),
    };
    let config = diagnostics.into_result(config)?.unmark_deep().0;
    if !config.is_wholly_known() {
        return Err(Diagnostic::error(
            "Provider configuration is not known",
            format!("The provider {wanted} is needed for an object in the state, and its configuration is not known."),
        )
        .into());
    }
    let request = Configure {
        config: &config,
        environment: host.environment(),
    };
    let session = provider.configure(request).await;
    session.map_err(|f| failure_diagnostic(&f, None).into())
}
