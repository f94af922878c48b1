"""The table of jobs: partition key `caller`, sort key `id`; each write is conditional.

A local index orders a caller's jobs by `created`. A sparse index holds open jobs only, for the limit and the sweep.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from invoker.jobs.job import Job
from invoker.jobs.states import State, before
from invoker.jobs.storage import ConditionFailedError, ask

BY_CREATED = "by-created"
OPEN = "open"
# Items that are no jobs: no `created`, so in no index; their partition is no caller's hash.
USAGE = "usage"
CAPACITY = {"caller": "stack", "id": "capacity"}
DAY = 86_400
# Counters of bytes are kept for longer than the day that they count.
USAGE_SECONDS = 2 * DAY
# `created` and `id` of a job.
Place = tuple[int, str]

_WRITE = TypeSerializer().serialize
_READ = TypeDeserializer().deserialize


def now() -> int:
    return int(time.time())


class Store:
    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, caller: str, job_id: str) -> Job | None:
        """Return a job; None where there is none, or where its time is over and DynamoDB has not removed it yet."""
        item = self._item({"caller": caller, "id": job_id})
        job = _job(item) if item else None
        return job if job and job.expires > now() else None

    def create(self, job: Job) -> bool:
        """Write a new job; False where its id is taken."""
        try:
            ask(
                self._client.put_item,
                TableName=self._table,
                Item=_written(_attributes(job)),
                ConditionExpression="attribute_not_exists(id) OR expires <= :now",
                ExpressionAttributeValues=_written({":now": now()}),
            )
        except ConditionFailedError:
            return False
        return True

    def move(self, job: Job, state: State, **changes: Any) -> Job | None:
        """Move a job forward; None where it is in a state that the new one may not follow."""
        changes |= {"state": str(state)} | ({} if state.is_open else {"finished": now()})
        allowed = {f":from{index}": str(each) for index, each in enumerate(before(state))}
        return self._update(job, changes, f"#state IN ({', '.join(allowed)})", allowed, closes=not state.is_open)

    def lease(self, job: Job, seconds: int) -> Job | None:
        """Take the right to hand a queued job over; None where another process has it, or the job has moved on."""
        values = {":queued": str(State.QUEUED), ":now": now()}
        return self._update(job, {"leased": now() + seconds}, "#state = :queued AND #leased <= :now", values)

    def release(self, job: Job) -> None:
        """Let the job be handed over again at once."""
        self._update(job, {"leased": 0}, "#state = :queued AND #leased > :zero", {":queued": "queued", ":zero": 0})

    def remove_files(self, job: Job) -> Job | None:
        """Note that the files of a finished job are gone."""
        return self._update(job, {"removed": True}, "attribute_exists(id) AND #removed = :no", {":no": False})

    def page(self, caller: str, limit: int, after: Place | None) -> tuple[list[Job], Place | None]:
        """Return a caller's jobs, newest first, after a place; and the place after which there may be more."""
        start = {"caller": caller, "created": after[0], "id": after[1]} if after else None
        answer = ask(
            self._client.query,
            TableName=self._table,
            IndexName=BY_CREATED,
            KeyConditionExpression="caller = :caller",
            FilterExpression="expires > :now",
            ExpressionAttributeValues=_written({":caller": caller, ":now": now()}),
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": _written(start)} if start else {}),
        )
        last = _read(answer.get("LastEvaluatedKey", {}))
        return [_job(_read(item)) for item in answer["Items"]], (last["created"], last["id"]) if last else None

    def count_open(self, caller: str, enough: int) -> int:
        """Count a caller's open jobs, up to `enough`; jobs of the last second may be missing."""
        answer = ask(
            self._client.query,
            TableName=self._table,
            IndexName=OPEN,
            KeyConditionExpression="#open = :caller",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues=_written({":caller": caller}),
            Select="COUNT",
            Limit=enough,
        )
        return int(answer["Count"])

    def open_jobs(self) -> Iterator[Job]:
        """Return every open job of all callers."""
        more: dict[str, Any] = {}
        while True:
            answer = ask(self._client.scan, TableName=self._table, IndexName=OPEN, **more)
            yield from (_job(_read(item)) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def bytes_today(self, caller: str) -> int:
        item = self._item(_usage(caller))
        return int(item["bytes"]) if item else 0

    def count_bytes(self, caller: str, size: int) -> None:
        """Count the bytes of a new job for its caller and day."""
        ask(
            self._client.update_item,
            TableName=self._table,
            Key=_written(_usage(caller)),
            UpdateExpression="ADD #bytes :size SET expires = :expires",
            ExpressionAttributeNames={"#bytes": "bytes"},
            ExpressionAttributeValues=_written({":size": size, ":expires": now() + USAGE_SECONDS}),
        )

    def capacity(self) -> dict[str, Any]:
        """Return since when instances are being started (0: they are not), and how long that took the last time."""
        return self._item(CAPACITY) or {"since": 0, "usual": 0}

    def note_capacity(self, since: int, usual: int) -> None:
        item = {**CAPACITY, "since": since, "usual": usual}
        ask(self._client.put_item, TableName=self._table, Item=_written(item))

    def _item(self, key: dict[str, str]) -> dict[str, Any] | None:
        answer = ask(self._client.get_item, TableName=self._table, Key=_written(key), ConsistentRead=True)
        return _read(answer["Item"]) if "Item" in answer else None

    def _update(
        self, job: Job, changes: dict[str, Any], condition: str, values: dict[str, Any], *, closes: bool = False
    ) -> Job | None:
        assignments = ", ".join(f"#{name} = :{name}" for name in changes)
        # A finished job leaves the index of open ones.
        expression = f"SET {assignments} REMOVE #open" if closes else f"SET {assignments}"
        names = {name for name in (*changes, "state", "leased", "removed") if f"#{name}" in f"{expression} {condition}"}
        try:
            answer = ask(
                self._client.update_item,
                TableName=self._table,
                Key=_written({"caller": job.caller, "id": job.id}),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in names | ({"open"} if closes else set())},
                ExpressionAttributeValues=_written(
                    {**{f":{name}": value for name, value in changes.items()}, **values}
                ),
                ReturnValues="ALL_NEW",
            )
        except ConditionFailedError:
            return None
        return _job(_read(answer["Attributes"]))


def _usage(caller: str) -> dict[str, str]:
    return {"caller": f"{USAGE}.{caller}", "id": time.strftime("%Y-%m-%d", time.gmtime())}


def _attributes(job: Job) -> dict[str, Any]:
    return {**asdict(job), "state": str(job.state), **({"open": job.caller} if job.state.is_open else {})}


def _written(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: _WRITE(value) for name, value in attributes.items()}


def _read(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(_READ(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    """Numbers come as Decimal; those that are written here are whole."""
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _job(attributes: dict[str, Any]) -> Job:
    known = {name: attributes[name] for name in Job.__slots__ if name in attributes}
    return replace(Job(**known), state=State(attributes["state"]))
