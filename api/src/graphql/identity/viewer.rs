//! Who is asking.

use async_graphql::{Context, Object, Result, Union};

use super::{account::Account, api_key::ApiKey};
use crate::{
    domain::{
        Actor,
        identity::{account, api_key},
    },
    graphql::{ctx, error::OrApiError},
};

/// Whoever is asking: a person or a dashboard's key.
#[derive(Union)]
pub enum Viewer {
    Account(Account),
    ApiKey(ApiKey),
}

#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Who is asking, with their roles or their scope; null for somebody who has not signed in.
    async fn viewer(&self, context: &Context<'_>) -> Result<Option<Viewer>> {
        let ctx = ctx(context);
        Ok(match ctx.actor {
            Actor::Account { id, .. } => {
                let found = account::find(ctx, id).await.or_api_error(ctx)?;
                found.map(|row| Viewer::Account(Account(row)))
            }
            Actor::Key(id) => {
                let found = api_key::find(ctx, id).await.or_api_error(ctx)?;
                found.map(|row| Viewer::ApiKey(ApiKey(row)))
            }
            Actor::Anonymous | Actor::System => None,
        })
    }

    /// The account of the person asking; null for a key and for somebody who has not signed in.
    async fn me(&self, context: &Context<'_>) -> Result<Option<Account>> {
        let ctx = ctx(context);
        match ctx.actor {
            Actor::Account { id, .. } => Ok(account::find(ctx, id).await.or_api_error(ctx)?.map(Account)),
            _ => Ok(None),
        }
    }
}
