//! What the town had before Concord: a few rows of its hotline's ledger, brought in by the same importer as any other file.
//! They were closed at their source, so they count as closed and never as struck off.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    days::ZONE,
    story::{Story, missing},
};
use crate::{
    domain::Result,
    import::{
        Options, Source,
        problems::{self, Mapping},
    },
};

/// How the ledger's columns become problems.
const MAPPING: &str = r#"
source = "12345"
time_zone = "Asia/Shanghai"
time_format = "%Y-%m-%d %H:%M"

[columns]
key = "工单号"
title = ["标题"]
description = ["内容"]
category = ["类别"]
place = ["地点"]
channel = "来源"
state = "状态"
occurred_at = "登记时间"
closed_at = "办结时间"

[states]
open = ["办理中"]
closed = ["已办结"]

[channels]
"热线" = "hotline"
"网络" = "online"
"#;

/// Title, what was wrong, category, place, channel, and how many days before the import it was reported.
const ROWS: [(&str, &str, &str, &str, &str, i64); 5] = [
    ("银湖路污水外溢", "检查井堵塞，污水漫上人行道。", "市政设施", "银湖路12号前", "热线", 41),
    ("城北社区停水未通知", "停水检修没有提前张贴通知。", "供水供热", "城北社区", "热线", 33),
    ("广场座椅断裂", "两张木质座椅断裂。", "公共服务", "原子城广场", "网络", 27),
    ("公交末班提前收车", "末班车比公示时间早二十分钟。", "公共交通", "州政府站", "网络", 19),
    ("工地夜间施工噪声", "夜间十一点后仍在浇筑。", "噪声扰民", "城东社区北侧工地", "热线", 12),
];

/// Brings the ledger in.
pub async fn bring_in(story: &Story<'_>) -> Result<()> {
    let committee = story.of("committee")?;
    let source = Source { name: "12345.csv".to_owned(), bytes: file(story.stage.now()).into_bytes() };
    let mapping = Mapping::parse(MAPPING)?;
    let report = problems::run(&committee, story.town()?, &mapping, &source, Options::default()).await?;
    if report.refused() == 0 { Ok(()) } else { Err(missing("rows of its ledger")) }
}

fn file(now: DateTime<Utc>) -> String {
    let mut text = "工单号,标题,内容,类别,地点,来源,状态,登记时间,办结时间\n".to_owned();
    let written = |at: DateTime<Utc>| at.with_timezone(&ZONE).format("%Y-%m-%d %H:%M").to_string();
    for (number, (title, what, category, place, channel, days)) in (1..).zip(ROWS) {
        let (from, to) = (now - TimeDelta::days(days), now - TimeDelta::days(days - 4));
        let (from, to) = (written(from), written(to));
        writeln!(text, "RX{number:04},{title},{what},{category},{place},{channel},已办结,{from},{to}")
            .expect("writing to a string does not fail");
    }
    text
}
