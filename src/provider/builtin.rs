//! The provider that is built in: `terraform_data`, an object that holds a value and nothing else.

use std::sync::Arc;

use mlinfra_sdk::plugin::Plugin;
use mlinfra_sdk::{
    Attribute, Configure, Connect, Context, Create, Data, Delete, Failure, Plan, Planned, Provider,
    Read, Resource, Schema, Type, Update, Value, async_trait,
};

/// The provider `terraform`.
pub fn builtin() -> Arc<dyn Provider> {
    Arc::new(Plugin::new(
        Builtin,
        vec![Box::new(TerraformData)],
        Vec::new(),
    ))
}

struct Builtin;

#[async_trait]
impl Connect for Builtin {
    type Client = ();

    fn name(&self) -> &str {
        "terraform"
    }

    fn schema(&self) -> Schema {
        Schema::new("Objects of the tool itself.")
    }

    async fn connect(&self, _: Configure<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// `terraform_data`: stores a value, and is replaced when a trigger changes.
struct TerraformData;

/// `output` is what `input` is; unknown until apply when that changes.
fn with_output(planned: Value, output: Value) -> Value {
    planned.with_attribute("output", output)
}

/// Null when the input is, and otherwise an unknown value of its type.
fn unknown_like(input: Value) -> Value {
    if input.is_null() {
        return input;
    }
    Value::unknown(input.ty())
}

#[async_trait]
impl Resource<()> for TerraformData {
    fn type_name(&self) -> &'static str {
        "terraform_data"
    }

    fn schema(&self) -> Schema {
        Schema::new("Stores a value, and is replaced when a trigger changes.")
            .attribute(
                "id",
                Attribute::computed(Type::String).describe("A random id."),
            )
            .attribute(
                "input",
                Attribute::optional(Type::Dynamic).describe("Any value, kept as output."),
            )
            .attribute(
                "output",
                Attribute::computed(Type::Dynamic).describe("What input was when it was applied."),
            )
            .attribute(
                "triggers_replace",
                Attribute::optional(Type::Dynamic)
                    .describe("A change of this replaces the object."),
            )
    }

    async fn plan(&self, (): &(), _: &Context, request: Plan<'_>) -> Result<Planned, Failure> {
        let input = request
            .proposed
            .get("input")
            .cloned()
            .unwrap_or(Value::NULL);
        let Some(prior) = request.prior else {
            let output = unknown_like(input);
            return Ok(Planned {
                value: with_output(request.proposed, output),
                replace: Vec::new(),
                notes: Vec::new(),
            });
        };
        let mut planned = request.proposed;
        if prior.get("input") != Some(&input) {
            planned = with_output(planned, unknown_like(input));
        }
        let trigger = prior.get("triggers_replace") != planned.get("triggers_replace");
        Ok(Planned {
            value: planned,
            replace: trigger
                .then(|| mlinfra_sdk::Path::attribute("triggers_replace"))
                .into_iter()
                .collect(),
            notes: Vec::new(),
        })
    }

    async fn create(&self, (): &(), _: &Context, request: Create<'_>) -> Result<Value, Failure> {
        let id = Value::from(uuid::Uuid::new_v4().to_string());
        let input = request.planned.get("input").cloned().unwrap_or(Value::NULL);
        let made = request.planned.clone().with_attribute("id", id);
        Ok(with_output(made, input))
    }

    async fn read(
        &self,
        (): &(),
        _: &Context,
        request: Read<'_>,
    ) -> Result<Option<Value>, Failure> {
        Ok(Some(request.prior.clone()))
    }

    async fn update(&self, (): &(), _: &Context, request: Update<'_>) -> Result<Value, Failure> {
        let input = request.planned.get("input").cloned().unwrap_or(Value::NULL);
        Ok(with_output(request.planned.clone(), input))
    }

    async fn delete(&self, (): &(), _: &Context, _: Delete<'_>) -> Result<(), Failure> {
        Ok(())
    }

    async fn import(&self, (): &(), _: &Context, id: &str) -> Result<Option<Value>, Failure> {
        let null = || Value::from(Data::Null(Type::Dynamic));
        Ok(Some(Value::object([
            ("id", Value::from(id)),
            ("input", null()),
            ("output", null()),
            ("triggers_replace", null()),
        ])))
    }
}
