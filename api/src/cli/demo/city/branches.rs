//! The city's Party organisations (网格党支部): 674 branches and 4,001 groups over its communities and villages, at home in communities, in
//! cells of the Party's grid, in compounds, and jointly with units, markets and courier stations. Where there is none, some
//! communities are served by an instructor.

use concord_entities::{
    branch_host::Kind as Place,
    grid_cell::Category,
    grid_network::Kind as Network,
    id::{AllianceId, OrganizationId, PartyBranchId},
    party_branch::Kind,
    region::Level,
};

use super::register;
use crate::{
    cli::demo::story::missing,
    domain::{
        Ctx, Result,
        branch::{
            host::NewHost,
            instructor::{self, NewInstructor},
            steps::{self, NewBranch, Secretary},
        },
        grid::{
            cell::{self, NewCell},
            network,
        },
        territory::region::{self, NewRegion},
    },
};

/// Branches, and the groups in all of them.
pub const BRANCHES: usize = 674;
pub const GROUPS: usize = 4_001;
/// Of so many branches one is there for a time only.
const TEMPORARY: usize = 50;
/// Of so many communities without a branch one has an instructor.
const SERVED: usize = 4;
/// Members of a group, and those of a branch who are in none.
const GROUP_MEMBERS: i32 = 6;
const OTHERS: i32 = 2;

/// Establishes them.
pub async fn establish(clerk: &Ctx, alliance: AllianceId, units: &[OrganizationId]) -> Result<()> {
    let communities = register::communities();
    let party = network::establish(clerk, alliance, Network::Party).await?.id;
    let committee = *units.first().ok_or_else(|| missing("a unit"))?;
    let top = NewBranch {
        member_count: None,
        ..new_branch(
            Kind::Committee,
            None,
            "佳木斯市网格党委".to_owned(),
            vec![NewHost::Organization(committee)],
        )
    };
    let top = steps::establish(clerk, alliance, top).await?.id;
    let mut has_one = vec![false; communities.len()];
    for number in 0..BRANCHES {
        // Spread evenly over the register.
        let at = number * communities.len() / BRANCHES;
        let code = *communities.get(at).ok_or_else(|| missing("a community"))?;
        if let Some(has) = has_one.get_mut(at) {
            *has = true;
        }
        let community = region::id_of_code(code);
        let unit = *units.get(number * 7 % units.len()).ok_or_else(|| missing("a unit"))?;
        let shown = number + 1;
        let hosts = match number % 8 {
            4 => vec![NewHost::Region(community), NewHost::Organization(unit)],
            5 => {
                let new = NewCell {
                    parent_id: None,
                    code: format!("D-{shown:04}"),
                    name: format!("第{shown}党建网格"),
                    level: 4,
                    category: Category::Comprehensive,
                    region_ids: vec![community],
                    since: None,
                };
                vec![NewHost::Cell(cell::draw(clerk, party, new).await?.id)]
            }
            6 => {
                let name = format!("第{shown}示范小区");
                let new = NewRegion { parent_id: Some(community), code: None, name, level: Level::Compound };
                vec![NewHost::Region(region::record(clerk, new).await?.id)]
            }
            7 => {
                let (kind, name) = if number % 16 == 7 {
                    (Place::Market, format!("第{shown}集贸市场"))
                } else {
                    (Place::CourierStation, format!("第{shown}快递驿站"))
                };
                vec![NewHost::Region(community), NewHost::Place(kind, name)]
            }
            _ => vec![NewHost::Region(community)],
        };
        // So that all groups together are as many as there are.
        let groups = (number + 1) * GROUPS / BRANCHES - number * GROUPS / BRANCHES;
        let members = OTHERS + GROUP_MEMBERS * i32::try_from(groups).unwrap_or_default();
        let new = NewBranch {
            is_temporary: number % TEMPORARY == TEMPORARY - 1,
            member_count: Some(members),
            ..new_branch(Kind::Branch, Some(top), format!("第{shown}网格党支部"), hosts)
        };
        let branch = steps::establish(clerk, alliance, new).await?.id;
        for group in 1..=groups {
            let new = NewBranch {
                member_count: Some(GROUP_MEMBERS),
                ..new_branch(Kind::PartyGroup, Some(branch), format!("第{group}党小组"), Vec::new())
            };
            steps::establish(clerk, alliance, new).await?;
        }
    }
    let without = communities.iter().zip(has_one).filter(|(_, has)| !has);
    for (number, (code, _)) in without.step_by(SERVED).enumerate() {
        let unit = *units.get(number * 11 % units.len()).ok_or_else(|| missing("a unit"))?;
        let new = NewInstructor {
            organization_id: unit,
            name: format!("示例指导员{}", number + 1),
            phone: None,
            place: NewHost::Region(region::id_of_code(code)),
            since: None,
        };
        instructor::appoint(clerk, alliance, new).await?;
    }
    Ok(())
}

fn new_branch(kind: Kind, parent_id: Option<PartyBranchId>, name: String, hosts: Vec<NewHost>) -> NewBranch {
    NewBranch {
        kind,
        parent_id,
        name,
        is_temporary: false,
        hosts,
        member_count: None,
        secretary: Secretary::default(),
        since: None,
    }
}
