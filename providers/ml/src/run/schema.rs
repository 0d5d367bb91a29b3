//! The attributes of `ml_run`.

use mlinfra_sdk::{Attribute, Schema, Type, Value};

/// The attributes of `ml_run`.
pub(super) fn schema() -> Schema {
    computed(arguments(Schema::new(
        "The current run of a training job. The run has an address by content: the digests of the source folder and of \
         the inputs, the command, the parameters and the version of Python. The job runs again when that address \
         changes, and the plan says why; the same is never trained twice. Destroying it forgets the run's log; the \
         versions that it made stay in the registry.",
    )))
}

fn arguments(schema: Schema) -> Schema {
    let input = Type::object([("uri", Type::String), ("digest", Type::String)]);
    let objective = Type::object([("metric", Type::String), ("goal", Type::String)]);
    schema
        .attribute(
            "job",
            Attribute::required(Type::String).describe("The name of the training job."),
        )
        .attribute(
            "model",
            Attribute::required(Type::String)
                .describe("The model of the registry that the run makes a version of."),
        )
        .attribute(
            "source",
            Attribute::required(Type::String).describe(
                "The folder with the code, relative to that of the root configuration. Its `requirements.txt`, if it \
                 has one, becomes a virtual environment. What its `.gitignore` names does not count.",
            ),
        )
        .attribute(
            "command",
            Attribute::required(Type::list(Type::String))
                .describe("Program and arguments, started in a copy of the source folder."),
        )
        .attribute(
            "inputs",
            Attribute::optional(Type::map(input.clone()))
                .default(Value::map(input, Vec::<(&str, Value)>::new()))
                .describe(
                    "What the run reads, by name: `uri`, a `file://` URL of a file or folder, and `digest`, what its \
                     content must be. The command finds each as `$MLINFRA_INPUTS/<name>`.",
                ),
        )
        .attribute(
            "params",
            Attribute::optional(Type::Dynamic).describe(
                "The parameters, an object. The command finds them as JSON in the file `$MLINFRA_PARAMS`.",
            ),
        )
        .attribute(
            "objective",
            Attribute::optional(objective).describe(
                "The metric that says how good the outcome is, and the goal: `maximize` or `minimize`.",
            ),
        )
        .attribute(
            "registry",
            Attribute::required(Type::String).describe("The URL of the registry."),
        )
        .attribute(
            "env",
            Attribute::optional(Type::map(Type::String))
                .describe("Environment variables of the command. They are no part of the run's address."),
        )
        .attribute(
            "timeout_s",
            Attribute::optional(Type::Number)
                .describe("Seconds after which the command is stopped and the run counts as failed."),
        )
}

fn computed(schema: Schema) -> Schema {
    let known = |ty: Type, text: &str| Attribute::computed(ty).describe(text);
    let told = |ty: Type, text: &str| Attribute::computed(ty).volatile().describe(text);
    schema
        .attribute("id", known(Type::String, "The name of the job."))
        .attribute(
            "address",
            known(Type::String, "The address of the run by content, known when it is planned."),
        )
        .attribute(
            "files",
            known(Type::map(Type::String), "The digests of the source's files, by path."),
        )
        .attribute(
            "python",
            known(Type::String, "The Python that runs it; null where none does."),
        )
        .attribute(
            "spec",
            known(
                Type::String,
                "What to run, as JSON, for a schedule that runs it again with the data of that time.",
            ),
        )
        .attribute("version", told(Type::Number, "The version that the run made or found."))
        .attribute("run_id", told(Type::String, "The name of the run in the registry."))
        .attribute(
            "promoted",
            told(Type::Bool, "Whether its version was the champion when the run ended."),
        )
        .attribute(
            "champion",
            told(Type::Number, "The version that was the champion when the run ended, if any."),
        )
        .attribute("reason", told(Type::String, "Why its version became the champion or did not."))
        .attribute(
            "metrics",
            told(Type::map(Type::Number), "The metrics of its version, as far as they are finite."),
        )
        .attribute(
            "cached",
            told(Type::Bool, "Whether all of it had been computed before."),
        )
}
