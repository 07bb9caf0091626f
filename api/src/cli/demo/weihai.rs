//! Weihai's small story: Party branches at sea. Thirteen stand in distant-water fleets, with 390 members in groups; one stands in each of 46
//! inshore cooperatives, which 163 member shipowners joined. None of them has a community.

use concord_entities::{branch_host, id::PartyBranchId, party_branch::Kind, region::Level};

use super::{small, story::Story};
use crate::domain::{
    Result,
    branch::{
        host::NewHost,
        steps::{self, NewBranch, Secretary},
    },
};

const PLACES: [(&str, &str, Level); 2] =
    [("37", "山东省", Level::Province), ("3710", "威海市", Level::Prefecture)];
/// Branches in distant-water fleets, each with as many groups of as many members.
const FLEETS: u32 = 13;
const GROUPS: u32 = 3;
const GROUP_MEMBERS: i32 = 10;
/// Branches in inshore cooperatives, and the shipowners who joined them.
const COOPERATIVES: i32 = 46;
const SHIPOWNERS: i32 = 163;

pub async fn play(story: &mut Story<'_>) -> Result<()> {
    let names = ("威海市海上党建联盟", "威海", "中共威海市委海洋渔业工作委员会", "海上党建专员");
    let sea = small::found(story, "weihai", &PLACES, names).await?;
    let establish = async |kind, parent_id, name: String, hosts, member_count| {
        let new = NewBranch {
            kind,
            parent_id,
            name,
            is_temporary: false,
            hosts,
            member_count,
            secretary: Secretary::default(),
            since: None,
        };
        steps::establish(&sea.clerk, sea.alliance, new).await.map(|row| row.id)
    };
    let here = vec![NewHost::Organization(sea.committee)];
    let top: PartyBranchId =
        establish(Kind::Committee, None, "威海市海洋渔业党委".to_owned(), here, None).await?;
    let place = |kind, name: String| vec![NewHost::Place(kind, name)];
    for number in 1..=FLEETS {
        let fleet = place(branch_host::Kind::Fleet, format!("远洋{number}号船队"));
        let members = GROUP_MEMBERS * i32::try_from(GROUPS).unwrap_or_default();
        let branch =
            establish(Kind::Branch, Some(top), format!("远洋{number}号船队党支部"), fleet, Some(members))
                .await?;
        for group in 1..=GROUPS {
            let name = format!("第{group}党小组");
            establish(Kind::PartyGroup, Some(branch), name, Vec::new(), Some(GROUP_MEMBERS)).await?;
        }
    }
    for number in 0..COOPERATIVES {
        // Shared out as evenly as whole people can be.
        let members = SHIPOWNERS / COOPERATIVES + i32::from(number < SHIPOWNERS % COOPERATIVES);
        let shown = number + 1;
        let host = place(branch_host::Kind::Cooperative, format!("近海渔业合作社{shown}"));
        let name = format!("近海渔业合作社{shown}党支部");
        establish(Kind::Branch, Some(top), name, host, Some(members)).await?;
    }
    Ok(())
}
