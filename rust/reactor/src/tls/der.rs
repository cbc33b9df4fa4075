//! The little of X.509 that is asked of a certificate besides what the verifier does: when it is valid, and its key.
//!
//! Certificates that are trusted as themselves, as self-signed ones of a test or a house are, often say of themselves that
//! they are authorities, or are of X.509's first version; a verifier of chains refuses both.

/// What a certificate says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts<'a> {
    /// From when it is valid, in seconds since the epoch.
    pub not_before: u64,
    /// Until when it is valid, in seconds since the epoch.
    pub not_after: u64,
    /// The whole SubjectPublicKeyInfo.
    pub key: &'a [u8],
    /// Whether it may vouch for others.
    pub authority: bool,
    /// Whether it says that it has issued itself.
    pub self_issued: bool,
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// `id-ce-basicConstraints`, 2.5.29.19.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// `id-ce-keyUsage`, 2.5.29.15.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// The bit of `keyCertSign` in the first octet of the usage.
const KEY_CERT_SIGN: u8 = 0x04;

/// Reads the facts out of a certificate in DER; `None` if it is malformed.
#[must_use]
pub fn facts(certificate: &[u8]) -> Option<Facts<'_>> {
    let (outer, rest) = expect(certificate, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    let (mut body, _) = expect(outer, SEQUENCE)?;
    if let Some((_, rest)) = expect(body, VERSION) {
        body = rest;
    }
    let (_serial, rest) = expect(body, INTEGER)?;
    let (_algorithm, rest) = expect(rest, SEQUENCE)?;
    let (issuer, rest) = expect(rest, SEQUENCE)?;
    let (validity, rest) = expect(rest, SEQUENCE)?;
    let (subject, rest) = expect(rest, SEQUENCE)?;
    let before_key = rest;
    let (_, after_key) = expect(before_key, SEQUENCE)?;
    let (not_before, validity) = time(validity)?;
    let (not_after, _) = time(validity)?;
    let mut extensions = after_key;
    while let Some((tag, contents, rest)) = element(extensions) {
        if tag == EXTENSIONS {
            let (list, _) = expect(contents, SEQUENCE)?;
            return Some(Facts {
                not_before,
                not_after,
                key: rest_to(before_key, after_key)?,
                authority: may_sign(list)?,
                self_issued: issuer == subject,
            });
        }
        extensions = rest;
    }
    Some(Facts {
        not_before,
        not_after,
        key: rest_to(before_key, after_key)?,
        authority: true, // without extensions nothing says that it may not
        self_issued: issuer == subject,
    })
}

/// What stands before `end`, which is the end of `bytes`.
fn rest_to<'a>(bytes: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    bytes.get(..bytes.len() - end.len())
}

/// Whether these extensions allow the certificate to vouch for others: its basic constraints say so, or where there are
/// none its key's usage does.
fn may_sign(mut extensions: &[u8]) -> Option<bool> {
    let mut by_usage = false;
    while !extensions.is_empty() {
        let (extension, rest) = expect(extensions, SEQUENCE)?;
        extensions = rest;
        let (name, rest) = expect(extension, OID)?;
        let rest = expect(rest, BOOLEAN).map_or(rest, |(_critical, rest)| rest);
        let (value, _) = expect(rest, OCTET_STRING)?;
        if name == BASIC_CONSTRAINTS {
            let (constraints, _) = expect(value, SEQUENCE)?;
            return Some(
                expect(constraints, BOOLEAN)
                    .is_some_and(|(authority, _)| authority.first().is_some_and(|byte| *byte != 0)),
            );
        }
        if name == KEY_USAGE {
            let (usage, _) = expect(value, BIT_STRING)?;
            by_usage = usage.get(1).is_some_and(|octet| octet & KEY_CERT_SIGN != 0);
        }
    }
    Some(by_usage)
}

/// Splits an element off the front: its tag, its contents, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().try_fold(0_usize, |length, digit| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            })?;
            (length, rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

/// As [`element`], for one that has to have this tag.
fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    match element(bytes)? {
        (found, contents, rest) if found == tag => Some((contents, rest)),
        _ => None,
    }
}

/// Reads a time off the front.
fn time(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (tag, text, rest) = element(bytes)?;
    let number = |digits: &[u8]| -> Option<u64> {
        std::str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?
            .parse()
            .ok()
    };
    let (year, text) = match tag {
        UTC_TIME => {
            let (year, text) = text.split_at_checked(2)?;
            let year = number(year)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text)
        }
        GENERALIZED_TIME => {
            let (year, text) = text.split_at_checked(4)?;
            (number(year)?, text)
        }
        _ => return None,
    };
    if text.len() != 11 || text.last() != Some(&b'Z') {
        return None;
    }
    let mut fields = text.chunks_exact(2).map(number);
    let mut field = |low: u64, high: u64| -> Option<u64> {
        fields.next()?.filter(|value| (low..=high).contains(value))
    };
    let (month, day) = (field(1, 12)?, field(1, 31)?);
    let (hour, minute, second) = (field(0, 23)?, field(0, 59)?, field(0, 60)?);
    let seconds = i64::try_from(hour * 3600 + minute * 60 + second).ok()?;
    let seconds = days(i64::try_from(year).ok()?, month, day)? * 86_400 + seconds;
    // What was before the epoch is valid since long ago, which is all that matters.
    Some((u64::try_from(seconds).unwrap_or(0), rest))
}

/// Days from the epoch to a date of the Gregorian calendar.
fn days(year: i64, month: u64, day: u64) -> Option<i64> {
    let month = i64::try_from(month).ok()?;
    // Years begin in March here, so that a leap day ends its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::try_from(day).ok()? - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// A time as people write it, in UTC.
#[must_use]
pub fn written(seconds: u64) -> String {
    let (date, time) = (seconds / 86_400, seconds % 86_400);
    let date = date + 719_468;
    let (era, of_era) = (date / 146_097, date % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12 + 1;
    let year = year + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        let utc = |text: &str| {
            let mut bytes = vec![UTC_TIME, u8::try_from(text.len()).unwrap()];
            bytes.extend_from_slice(text.as_bytes());
            time(&bytes).map(|(seconds, _)| seconds)
        };
        assert_eq!(utc("700101000000Z"), Some(0));
        assert_eq!(utc("690101000000Z"), Some(0));
        assert_eq!(utc("000229120000Z"), Some(951_825_600));
        assert_eq!(utc("491231235959Z"), Some(2_524_607_999));
        for wrong in [
            "",
            "7001010000Z",
            "701301000000Z",
            "70010100000aZ",
            "700101000000+",
        ] {
            assert_eq!(utc(wrong), None, "{wrong}");
        }
        let long = b"20500101000000Z";
        let mut bytes = vec![GENERALIZED_TIME, 15];
        bytes.extend_from_slice(long);
        assert_eq!(
            time(&bytes).map(|(seconds, _)| seconds),
            Some(2_524_608_000)
        );
        assert_eq!(written(951_825_600), "2000-02-29 12:00:00 UTC");
        assert_eq!(written(2_524_607_999), "2049-12-31 23:59:59 UTC");
        assert_eq!(written(0), "1970-01-01 00:00:00 UTC");
    }

    #[test]
    fn what_is_no_certificate_has_no_facts() {
        assert_eq!(facts(b""), None);
        assert_eq!(facts(b"\x30\x80"), None);
        assert_eq!(facts(b"\x30\x03\x30\x01\x02"), None);
        assert_eq!(facts(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
