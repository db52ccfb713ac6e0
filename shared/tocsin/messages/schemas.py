"""The contracts as files: a JSON Schema a message, and one AsyncAPI page over all of them.

`python -m tocsin.messages.schemas` writes `shared/schemas/`; a test compares what is there with what would be written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tocsin.bus.dead import dead_topic
from tocsin.messages.topics import CONTRACTS, Contract

_HERE = Path(__file__).resolve().parents[2] / "schemas"
_ATTRIBUTES = {
    "ce_specversion": "always 1.0",
    "ce_id": "UUID; the same fact has the same id, also when it is sent again",
    "ce_type": "the message type, which is also its topic",
    "ce_source": "the service that wrote it",
    "ce_subject": "the key",
    "ce_time": "when the fact became true, UTC",
    "ce_recordedat": "when it was written down, UTC",
    "ce_study": "the study it belongs to",
}


def schema(contract: Contract) -> dict[str, Any]:
    """The JSON Schema of a message's value, as it stands on the wire."""
    made = contract.body.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": contract.topic, **made}


def asyncapi() -> dict[str, Any]:
    """All topics, their messages, who writes and who reads them, as AsyncAPI 3.0."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for contract in CONTRACTS:
        name = contract.topic.replace(".", "-")
        channels[name] = {
            "address": contract.topic,
            "description": (contract.body.__doc__ or "").split("\n\n")[0].strip(),
            "messages": {
                "message": {
                    "name": contract.topic,
                    "contentType": "application/json",
                    "headers": {"$ref": "#/components/schemas/attributes"},
                    "payload": {"$ref": f"./{contract.topic}.json"},
                    "bindings": {"kafka": {"key": {"type": "string", "description": f"the `{contract.key}`"}}},
                }
            },
        }
        channels[f"{name}-dead"] = {
            "address": dead_topic(contract.topic),
            "description": "Records of this topic that could not be handled: the original bytes, and why in headers.",
        }
        for service in contract.written_by:
            operations[f"{service}-sends-{name}"] = _operation("send", name)
        for service in contract.read_by:
            operations[f"{service}-receives-{name}"] = _operation("receive", name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tocsin messages",
            "version": "1",
            "description": "Every message is a full snapshot in a CloudEvents 1.0 envelope (binary mode).",
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "schemas": {
                "attributes": {
                    "type": "object",
                    "required": sorted(_ATTRIBUTES),
                    "properties": {name: {"type": "string", "description": says} for name, says in _ATTRIBUTES.items()},
                }
            }
        },
    }


def files() -> dict[str, str]:
    """What `shared/schemas/` holds: file name to text."""
    import yaml  # a tool of development: the services never need it

    made = {f"{c.topic}.json": json.dumps(schema(c), indent=2, ensure_ascii=False) + "\n" for c in CONTRACTS}
    made["asyncapi.yaml"] = yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=110)
    return made


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def main() -> int:
    """Write the folder anew."""
    for name, text in files().items():
        (_HERE / name).write_text(text, "utf-8")
        sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
