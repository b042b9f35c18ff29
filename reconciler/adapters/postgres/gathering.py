"""What several ask for while the same is under way for others is done together after it, in one transaction: at work on
many packs, the statements and the syncs of each are shared. Decides nothing about the packs; what cannot be done
together is done one by one, as if it had never been gathered."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

#: Done in one transaction at the most: it keeps rows locked until its end.
MOST: Final = 50


@dataclass(frozen=True, slots=True)
class _Asked(Generic[Q, A]):
    question: Q
    answer: asyncio.Future[A]


@dataclass(slots=True)
class Gathering(Generic[Q, A]):
    """`ask` of many tasks of one event loop. An answer is given once its transaction has ended."""

    #: One transaction: an answer to each, in their order, or nothing is done for any of them.
    together: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]
    #: What may be done together: those of which this is the same.
    alike: Callable[[Q], Hashable]
    #: Two of which this is the same are done one after another.
    subject: Callable[[Q], Hashable]
    #: Seconds for which the next transaction waits for the one under way: one that hangs must not keep all waiting.
    patience: float = 1.0
    _waiting: list[_Asked[Q, A]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    #: Somebody will still look at what is waiting.
    _is_going_on: bool = False

    async def ask(self, question: Q) -> A:
        """Whoever is cancelled while it waits does not know whether it was done, as after a lost connection."""
        asked: _Asked[Q, A] = _Asked(question, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if not self._is_going_on:
            self._is_going_on = True
            self._task(self._go_on())
        return await asked.answer

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _task(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _go_on(self) -> None:
        try:
            while batch := self._take():
                await asyncio.wait({self._task(self._answer(batch))}, timeout=self.patience)
        finally:
            self._is_going_on = False

    def _take(self) -> Sequence[_Asked[Q, A]]:
        """In the order they came."""
        self._waiting = [asked for asked in self._waiting if not asked.answer.done()]
        if not self._waiting:
            return ()
        kind = self.alike(self._waiting[0].question)
        batch: dict[Hashable, _Asked[Q, A]] = {}
        left = []
        for asked in self._waiting:
            subject = self.subject(asked.question)
            if len(batch) < MOST and subject not in batch and self.alike(asked.question) == kind:
                batch[subject] = asked
            else:
                left.append(asked)
        self._waiting = left
        return list(batch.values())

    async def _answer(self, batch: Sequence[_Asked[Q, A]]) -> None:
        try:
            answers = await self.together([asked.question for asked in batch])
            answered = list(zip(batch, answers, strict=True))
        except asyncio.CancelledError:
            for asked in batch:
                asked.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - it is told to whom it concerns
            if len(batch) > 1:
                # One of them may be to blame: the others must not suffer for it.
                await asyncio.gather(*(self._answer([asked]) for asked in batch))
            elif not batch[0].answer.done():
                batch[0].answer.set_exception(error)
        else:
            for asked, answer in answered:
                if not asked.answer.done():
                    asked.answer.set_result(answer)
