//! What types are called in sentences.

use mlinfra_sdk::Type;

/// What the type of a value is called: `list of string`, `object`.
pub fn type_name(ty: &Type) -> String {
    match ty {
        Type::List(t) => format!("list of {}", type_name(t)),
        Type::Set(t) => format!("set of {}", type_name(t)),
        Type::Map(t) => format!("map of {}", type_name(t)),
        ty => ty.friendly(),
    }
}

/// What a type is called where it is required: `list of any single type`, `any type`.
pub fn constraint_name(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "any type".into(),
        ty => ty.friendly(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_has_another_name_in_a_requirement() {
        let ty = Type::list(Type::Dynamic);
        assert_eq!(type_name(&ty), "list of dynamic");
        assert_eq!(constraint_name(&ty), "list of any single type");
    }
}
