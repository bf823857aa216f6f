//! Answers of Redis as what was asked for.

use redis::Value;

use super::fault::Trouble;

/// A list; of names and values, one behind the other, whichever protocol they came by.
pub(super) fn list(value: Value) -> Result<Vec<Value>, Trouble> {
    if let Value::Map(pairs) = value {
        let flat = pairs.into_iter().flat_map(|(name, value)| [name, value]);
        return Ok(flat.collect());
    }
    if let Value::Array(rows) | Value::Set(rows) = value {
        return Ok(rows);
    }
    sound(value).and(Err(Trouble::Odd))
}

/// Bytes, or nothing.
pub(super) fn bytes(value: Value) -> Result<Option<Vec<u8>>, Trouble> {
    if let Value::BulkString(bytes) = value {
        return Ok(Some(bytes));
    }
    if let Value::SimpleString(text) | Value::VerbatimString { text, .. } = value {
        return Ok(Some(text.into_bytes()));
    }
    if sound(value)? == Value::Nil {
        return Ok(None);
    }
    Err(Trouble::Odd)
}

/// Text.
pub(super) fn text(value: Value) -> Result<String, Trouble> {
    let bytes = bytes(value)?.unwrap_or_default();
    String::from_utf8(bytes).map_err(|_| Trouble::Odd)
}

/// A number.
pub(super) fn number(value: Value) -> Result<i64, Trouble> {
    if let Value::Int(number) = value {
        return Ok(number);
    }
    text(value)?.parse().map_err(|_| Trouble::Odd)
}

/// Whatever it is, unless it is an error.
pub(super) fn sound(value: Value) -> Result<Value, Trouble> {
    if let Value::ServerError(error) = value {
        return Err(Trouble::Said(error));
    }
    Ok(value)
}

/// The one setting that was asked for; empty where there is none such.
pub(super) fn setting(value: Value) -> Result<String, Trouble> {
    let held = if let Value::Map(pairs) = value {
        pairs.into_iter().next().map(|(_, held)| held)
    } else {
        list(value)?.into_iter().nth(1)
    };
    Ok(held.map(text).transpose()?.unwrap_or_default())
}
