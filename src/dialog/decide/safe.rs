//! AMAN and CARI: "I am safe", while staff have an event open.

use super::talk::{Said, Talk};
use crate::dialog::phrases::{Phrase, Slot, Value};
use crate::domain::address::Msisdn;
use crate::domain::caller::{SafeMark, Visibility};

/// Questions of CARI that are answered in a day.
const DAY_SEARCHES: u8 = 5;

/// AMAN.
pub(super) fn mark(talk: &mut Talk<'_>) -> Said {
    put(talk, Visibility::Shown)
}

/// AMAN RAHASIA.
pub(super) fn hide(talk: &mut Talk<'_>) -> Said {
    put(talk, Visibility::Hidden)
}

fn put(talk: &mut Talk<'_>, visibility: Visibility) -> Said {
    let at = talk.now();
    if talk.facts.board.event_opened_at.is_none() {
        return talk.say(Phrase::AmanTutup, &[]);
    }
    talk.caller.safe = Some(SafeMark { at, visibility });
    match visibility {
        Visibility::Hidden => talk.say(Phrase::AmanRahasia, &[]),
        Visibility::Shown => talk.say(
            Phrase::AmanOk,
            &[(Slot::Tgl, Value::Date(at)), (Slot::Jam, Value::Time(at))],
        ),
    }
}

/// AMAN HAPUS, at any time.
pub(super) fn erase(talk: &mut Talk<'_>) -> Said {
    talk.caller.safe = None;
    talk.say(Phrase::AmanHapus, &[])
}

/// CARI: the answer for a number that hides is that for one we never heard of.
pub(super) fn find(talk: &mut Talk<'_>, msisdn: Option<&Msisdn>) -> Said {
    if talk.facts.board.event_opened_at.is_none() {
        return talk.say(Phrase::CariTutup, &[]);
    }
    let Some(msisdn) = msisdn else {
        return talk.say(Phrase::CariTanya, &[]);
    };
    if talk.caller.today.searches >= DAY_SEARCHES {
        return talk.say(Phrase::CariBatas, &[]);
    }
    talk.caller.today.searches += 1;
    let akhir = (Slot::Akhir, Value::Text(msisdn.ending()));
    let sought = talk.facts.sought.filter(|sought| sought.msisdn == *msisdn);
    match sought.and_then(|sought| sought.safe_at) {
        Some(at) => talk.say(
            Phrase::CariAda,
            &[
                akhir,
                (Slot::Tgl, Value::Date(at)),
                (Slot::Jam, Value::Time(at)),
            ],
        ),
        None => talk.say(Phrase::CariBelum, &[akhir]),
    }
}
