//! What the small stories of other cities begin with: a place in the register, an alliance over it, its committee and a clerk.

use concord_entities::{
    id::{AllianceId, OrganizationId, RegionId},
    organization::Kind as Unit,
    region::Level,
    seat::Role,
};

use super::story::{PASSWORD, Person, Story, missing};
use crate::domain::{
    Ctx, Result,
    governance::{
        alliance::{self, NewAlliance},
        membership::{self, Contact},
        organization::{self, NewOrganization},
    },
    identity::{
        account::{self, NewAccount},
        seat::{self, NewSeat},
        session,
    },
    territory::region::{self, NewRegion},
};

/// An alliance of a small story.
pub struct Small {
    pub alliance: AllianceId,
    /// The places of the story, from the province down.
    pub regions: Vec<RegionId>,
    /// Its committee.
    pub committee: OrganizationId,
    /// The clerk's hand.
    pub clerk: Ctx,
}

/// Founds an alliance over the last of some places, each within the one before.
pub async fn found(
    story: &mut Story<'_>,
    part: &'static str,
    places: &[(&str, &str, Level)],
    (name, short, committee, clerk): (&str, &str, &str, &str),
) -> Result<Small> {
    let system = story.stage.system();
    let mut regions: Vec<RegionId> = Vec::new();
    for (code, name, level) in places {
        let new = NewRegion {
            parent_id: regions.last().copied(),
            code: Some((*code).to_owned()),
            name: (*name).to_owned(),
            level: *level,
        };
        regions.push(region::record(&system, new).await?.id);
    }
    let territory = *regions.last().ok_or_else(|| missing("a territory"))?;
    let unit = unit(story, committee, Unit::TownCommittee).await?;
    let new = NewAlliance {
        name: name.to_owned(),
        region_id: territory,
        parent_id: None,
        committee_organization_id: Some(unit),
        oversight_organization_id: None,
        time_zone: "Asia/Shanghai".to_owned(),
        number_pattern: format!("{short}销〔{{year}}〕{{seq:4}}号"),
        check_in_working_day: 5,
    };
    let alliance = alliance::found(&system, new).await?.id;
    membership::admit(&system, alliance, unit, Contact::default()).await?;
    let new = NewAccount {
        username: part.to_owned(),
        display_name: clerk.to_owned(),
        password_hash: Some(session::hash_new(&story.stage.app, part, PASSWORD, "password").await?),
        ..NewAccount::default()
    };
    let row = account::create(&system, new).await?;
    let role = Role::Committee;
    let new = NewSeat {
        account_id: row.id,
        alliance_id: alliance,
        role,
        organization_id: Some(unit),
        region_id: None,
    };
    seat::grant(&system, new).await?;
    let clerk = story.stage.hand(row.id);
    let person = Person {
        id: row.id,
        username: row.username,
        display_name: row.display_name,
        role: Some(role),
        unit: Some(committee.to_owned()),
    };
    story.cast.people.insert(part, person);
    story.cast.alliances.insert(part, alliance);
    Ok(Small { alliance, regions, committee: unit, clerk })
}

/// Records a unit.
pub async fn unit(story: &Story<'_>, name: &str, kind: Unit) -> Result<OrganizationId> {
    let new =
        NewOrganization { name: name.to_owned(), short_name: None, kind, credit_code: None, region_id: None };
    organization::record(&story.stage.system(), new).await.map(|unit| unit.id)
}
