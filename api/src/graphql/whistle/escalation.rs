//! Faces of how a whistle was handed up to the alliance above, and handed back.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, Object, Result, dataloader::Loader};
use concord_entities::{
    id::{AllianceId, WhistleId},
    whistle, whistle_escalation,
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};

use crate::{
    domain::{Error, page},
    graphql::{
        governance::alliance::Alliance,
        list::person::{Person, person},
        loaders::{self, Loaders},
        scalar::DateTime,
    },
};

/// Where an escalation of a whistle stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhistleEscalationState {
    /// The alliance above may call its members.
    Open,
    /// It was handed back.
    Returned,
    /// The whistle ended meanwhile.
    Ended,
}

/// One time that a whistle was handed up to the alliance above (提级), and how it came back.
pub struct WhistleEscalation {
    row: whistle_escalation::Model,
    town: AllianceId,
    is_over: bool,
}

/// One time that a whistle was handed up to the alliance above (提级), and how it came back.
#[Object]
impl WhistleEscalation {
    /// Who handed it up: the town, or the alliance to which it had been handed before; null where the viewer may not see that one.
    async fn from(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.row.from_alliance_id).await?.map(Alliance))
    }

    /// To whom; null where the viewer may not see that alliance.
    async fn to(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.row.to_alliance_id).await?.map(Alliance))
    }

    /// Where it stands.
    async fn state(&self) -> WhistleEscalationState {
        match self.row.returned_at {
            Some(_) => WhistleEscalationState::Returned,
            None if self.is_over => WhistleEscalationState::Ended,
            None => WhistleEscalationState::Open,
        }
    }

    /// When it was handed up.
    async fn escalated_at(&self) -> DateTime {
        self.row.escalated_at.into()
    }

    /// Who handed it up.
    async fn escalated_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.town, self.row.escalated_by, None).await
    }

    /// Why it was handed up.
    async fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// When it was handed back.
    async fn returned_at(&self) -> Option<DateTime> {
        self.row.returned_at.map(DateTime)
    }

    /// Who handed it back.
    async fn returned_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.town, self.row.returned_by, None).await
    }

    /// Why it was handed back.
    async fn return_reason(&self) -> Option<&str> {
        self.row.return_reason.as_deref()
    }
}

/// Key of the escalations of a whistle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EscalationsOf(pub WhistleId);

impl Loader<EscalationsOf> for Loaders {
    type Value = Vec<whistle_escalation::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EscalationsOf]) -> Result<HashMap<EscalationsOf, Self::Value>, Self::Error> {
        use whistle_escalation::{Column, Entity};
        let rows = Entity::find()
            .filter(page::among(&self.0, Column::WhistleId, keys.iter().map(|key| key.0)))
            .order_by_asc(Column::Place)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<EscalationsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(EscalationsOf(row.whistle_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The alliances that a whistle was handed up to and is still with.
pub async fn handed_up(context: &Context<'_>, of: WhistleId) -> Result<Vec<AllianceId>> {
    let rows = loaders::one(context, EscalationsOf(of)).await?.unwrap_or_default();
    Ok(rows.into_iter().filter(|row| row.returned_at.is_none()).map(|row| row.to_alliance_id).collect())
}

/// The escalations of a whistle that the caller sees, the first time first.
pub async fn escalations_of(context: &Context<'_>, of: &whistle::Model) -> Result<Vec<WhistleEscalation>> {
    let rows = loaders::one(context, EscalationsOf(of.id)).await?.unwrap_or_default();
    let face = |row| WhistleEscalation { row, town: of.alliance_id, is_over: of.ended_at.is_some() };
    Ok(rows.into_iter().map(face).collect())
}
