//! Failures as clients see them. What a person can mend travels in the payload as `userErrors`; the rest is a GraphQL error
//! with `extensions.code`. Causes stay in the log under the request id.

use async_graphql::{ErrorExtensions, SimpleObject};

use crate::{
    domain::{Code, Ctx, Error},
    messages,
};

/// A failure that the person at the screen can mend.
#[derive(SimpleObject, Clone, Debug)]
pub struct UserError {
    /// What went wrong; switch on this.
    code: Code,
    /// What went wrong, in the caller's language.
    message: String,
    /// Path of the input at fault, such as `input.dueOn`, if it is one.
    field: Option<String>,
}

/// Sorts a failure: what the person can mend travels in the payload, the rest as a GraphQL error.
pub fn user_error(ctx: &Ctx, error: &Error) -> async_graphql::Result<UserError> {
    match error {
        Error::Refused(refusal) => Ok(UserError {
            code: refusal.code,
            message: messages::of(error, ctx.locale),
            field: refusal.field.as_ref().map(|field| format!("input.{field}")),
        }),
        other => Err(api_error(ctx, other)),
    }
}

/// What was wrong with one of many items, also where the caller may not see it; only what nobody at the screen can mend is an
/// error of the whole request.
pub fn item_error(ctx: &Ctx, error: &Error, index: usize) -> async_graphql::Result<UserError> {
    if error.is_failure() || matches!(error, Error::Unauthenticated) {
        return Err(api_error(ctx, error));
    }
    let field = error.field().map(|field| format!("input.items.{index}.{field}"));
    Ok(UserError { code: error.code(), message: messages::of(error, ctx.locale), field })
}

/// A failure as a GraphQL error.
pub fn api_error(ctx: &Ctx, error: &Error) -> async_graphql::Error {
    if error.is_failure() {
        tracing::error!(request.id = %ctx.request_id, error = ?error, "a request failed");
    }
    async_graphql::Error::new(messages::of(error, ctx.locale)).extend_with(|_, extensions| {
        extensions.set("code", error.code().text());
        if let Some(field) = error.field() {
            extensions.set("field", field);
        }
    })
}

/// Turns a verb's result into a resolver's.
pub trait OrApiError<T> {
    fn or_api_error(self, ctx: &Ctx) -> async_graphql::Result<T>;
}

impl<T> OrApiError<T> for crate::domain::Result<T> {
    fn or_api_error(self, ctx: &Ctx) -> async_graphql::Result<T> {
        self.map_err(|error| api_error(ctx, &error))
    }
}

/// Declares a mutation's payload: one object and what the caller can mend. A replayed request reads the object again, as
/// the caller may see it now.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $type:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$field_doc])*
            pub $field: Option<$type>,
            /// What the caller can mend; empty when the change was made.
            pub user_errors: Vec<$crate::graphql::error::UserError>,
        }

        impl $name {
            pub async fn of<T: Into<$type>>(
                ctx: &$crate::domain::Ctx,
                result: $crate::domain::Result<T>,
            ) -> async_graphql::Result<Self> {
                use $crate::graphql::{error, node::Node};
                let result = match result {
                    Ok(value) => Ok(value.into()),
                    Err($crate::domain::Error::Replayed(id)) => {
                        match id {
                            Some(id) => <$type as Node>::find(ctx, id).await,
                            None => Ok(None),
                        }
                        .and_then(|found| found.ok_or($crate::domain::Error::NotFound("object")))
                    }
                    Err(error) => Err(error),
                };
                Ok(match result {
                    Ok(value) => Self { $field: Some(value), user_errors: Vec::new() },
                    Err(error) => Self { $field: None, user_errors: vec![error::user_error(ctx, &error)?] },
                })
            }
        }
    };
}
pub(crate) use payload;
