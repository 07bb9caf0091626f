//! Faces of posts: who holds a grid cell in a role.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{Context, Enum, ID, Object, Result, dataloader::Loader};
use concord_entities::{
    grid_officer,
    id::{AllianceId, GridOfficerId, TypedId},
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::cell::GridCell;
use crate::{
    domain::{self, Ctx, Error, grid as verbs, page},
    graphql::{
        governance::{
            membership::{ContactPerson, reads_contacts},
            organization::Organization,
        },
        id,
        loaders::{self, Loaders},
        node::Node,
        scalar::Date,
    },
};

/// In which role a person holds a grid cell.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::grid_officer::Role")]
pub enum GridOfficerRole {
    /// Head of the cell (网格长).
    GridHead,
    /// Grid officer (网格员).
    GridOfficer,
    /// Head of the cell's Party group (党小组长).
    PartyGroupHead,
    /// Police officer (民警).
    PoliceOfficer,
    /// Auxiliary police (辅警).
    AuxiliaryPolice,
    /// Security director of a village (治保主任).
    SecurityDirector,
}

/// A post: a person who holds a grid cell in a role, from one day up to another.
#[derive(Clone)]
pub struct GridOfficer(pub grid_officer::Model);

impl From<grid_officer::Model> for GridOfficer {
    fn from(row: grid_officer::Model) -> Self {
        Self(row)
    }
}

impl Node for GridOfficer {
    const NOUN: &'static str = GridOfficerId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find_officer(ctx, id.into()).await?.map(Self))
    }
}

/// A post: a person who holds a grid cell in a role, from one day up to another.
#[Object]
impl GridOfficer {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The cell.
    async fn cell(&self, context: &Context<'_>) -> Result<Option<GridCell>> {
        Ok(loaders::one(context, self.0.cell_id).await?.map(GridCell))
    }

    /// The unit that the person is of.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.organization_id).await?.map(Organization))
    }

    /// The person; name and phone are masked for whoever may not read contacts of the unit.
    async fn person(&self, context: &Context<'_>) -> Result<Option<ContactPerson>> {
        let row = &self.0;
        let clear = reads_contacts(context, row.alliance_id, &[row.organization_id]).await?;
        Ok(ContactPerson::new(Some(&row.name), None, row.phone.as_deref(), clear))
    }

    /// In which role.
    async fn role(&self) -> GridOfficerRole {
        self.0.role.into()
    }

    /// Whether it is the main one of the cell and role; there is one at a time.
    async fn is_main(&self) -> bool {
        self.0.is_main
    }

    /// The first day.
    async fn since(&self) -> Date {
        self.0.since_on.into()
    }

    /// The first day on which the person holds it no more; null while it has no end.
    async fn until(&self) -> Option<Date> {
        self.0.until_on.map(Date)
    }

    /// The other posts without an end that the same person holds in the alliance, told by name and phone; none where no phone is given.
    async fn also_holds(&self, context: &Context<'_>) -> Result<Vec<GridOfficer>> {
        let row = &self.0;
        let Some(phone) = row.phone.clone() else { return Ok(Vec::new()) };
        let key = SamePerson { alliance: row.alliance_id, name: row.name.clone(), phone };
        let found = loaders::one(context, key).await?.unwrap_or_default();
        Ok(found.into_iter().filter(|other| other.id != row.id).map(GridOfficer).collect())
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// Key of the standing posts of one person in an alliance.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SamePerson {
    alliance: AllianceId,
    name: String,
    phone: String,
}

impl Loader<SamePerson> for Loaders {
    type Value = Vec<grid_officer::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SamePerson]) -> Result<HashMap<SamePerson, Self::Value>, Self::Error> {
        use grid_officer::Column;
        let phones: HashSet<&str> = keys.iter().map(|key| key.phone.as_str()).collect();
        let rows = verbs::visible_officers(&self.0)
            .filter(page::among(&self.0, Column::AllianceId, keys.iter().map(|key| key.alliance)))
            .filter(Column::Phone.is_in(phones))
            .filter(Column::UntilOn.is_null())
            .order_by_asc(Column::SinceOn)
            .order_by_asc(Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<SamePerson, Self::Value> = HashMap::new();
        for row in rows {
            if let Some(phone) = row.phone.clone() {
                let key = SamePerson { alliance: row.alliance_id, name: row.name.clone(), phone };
                found.entry(key).or_default().push(row);
            }
        }
        Ok(found)
    }
}
