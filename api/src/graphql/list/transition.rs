//! Faces of transitions: what an object's viewer can do with it next, and what blocks the rest. The viewer's seats are
//! read once per alliance and request, however many objects a list shows.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Result, SimpleObject, dataloader::Loader};
use concord_entities::{
    account,
    id::{AllianceId, OrganizationId},
    seat,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    domain::{
        self, Action, Actor, Code, Error, Target,
        list::transition::{self, Viewer},
        page, privacy,
    },
    graphql::{
        ctx,
        loaders::{self, Loaders},
    },
    messages,
};

/// Something that keeps a transition from being made.
#[derive(SimpleObject, Clone, Debug)]
pub struct Blocker {
    /// What it is; switch on this.
    pub code: Code,
    /// What it is, in the caller's language.
    pub message: String,
}

/// A change of state as its viewer finds it.
#[derive(SimpleObject, Clone, Debug)]
pub struct Transition {
    /// Name of the mutation that makes it.
    pub mutation: String,
    /// State it leads to, as the object's `state` would show it.
    pub to: String,
    /// Whether the viewer can make it now.
    pub available: bool,
    /// What blocks it; empty when it is available.
    pub blockers: Vec<Blocker>,
}

/// Faces of what `domain::list::transition::offer` found.
pub fn faces(context: &Context<'_>, transitions: Vec<transition::Transition>) -> Vec<Transition> {
    let locale = ctx(context).locale;
    let blocker = |error: &Error| Blocker { code: error.code(), message: messages::of(error, locale) };
    transitions
        .into_iter()
        .map(|found| Transition {
            mutation: found.mutation.to_owned(),
            to: found.to,
            available: found.blockers.is_empty(),
            blockers: found.blockers.iter().map(blocker).collect(),
        })
        .collect()
}

/// Key of the viewer's active seats in an alliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeatsIn(pub AllianceId);

impl Loader<SeatsIn> for Loaders {
    type Value = Vec<seat::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SeatsIn]) -> Result<HashMap<SeatsIn, Self::Value>, Self::Error> {
        let Actor::Account { id, .. } = self.0.actor else {
            return Ok(HashMap::new());
        };
        let seats = seat::Entity::find()
            .inner_join(account::Entity)
            .filter(account::Column::State.eq(account::State::Active))
            .filter(seat::Column::AccountId.eq(id))
            .filter(page::among(&self.0, seat::Column::AllianceId, keys.iter().map(|key| key.0)))
            .filter(seat::Column::State.eq(seat::State::Active))
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(domain::Error::from(error)))?;
        let mut found: HashMap<SeatsIn, Self::Value> = HashMap::new();
        for seat in seats {
            found.entry(SeatsIn(seat.alliance_id)).or_default().push(seat);
        }
        Ok(found)
    }
}

/// The viewer's active seats in `alliance`, through the request's batcher.
pub async fn seats(context: &Context<'_>, alliance: AllianceId) -> Result<Vec<seat::Model>> {
    Ok(loaders::one(context, SeatsIn(alliance)).await?.unwrap_or_default())
}

/// How a viewer gets to read the names of persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// As they are.
    Open,
    /// Their first character only.
    Masked,
    /// Not at all.
    Hidden,
}

impl Names {
    /// How the viewer reads the names of people of `organizations` in an alliance.
    pub async fn of(
        context: &Context<'_>,
        alliance: AllianceId,
        organizations: &[OrganizationId],
    ) -> Result<Self> {
        let actor = ctx(context).actor;
        if !matches!(actor, Actor::Account { .. } | Actor::System) {
            return Ok(Self::Hidden);
        }
        let seats = seats(context, alliance).await?;
        let target = Target::alliance(alliance).of(organizations);
        let refused = transition::refusal(Viewer { actor, seats: &seats }, Action::ReadContacts, target);
        Ok(if refused.is_none() { Self::Open } else { Self::Masked })
    }

    /// The name as the viewer reads it.
    pub fn show(self, name: &str) -> Option<String> {
        match self {
            Self::Open => Some(name.to_owned()),
            Self::Masked => Some(privacy::mask_name(name)),
            Self::Hidden => None,
        }
    }
}
