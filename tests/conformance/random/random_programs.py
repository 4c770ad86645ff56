#!/usr/bin/env python3
"""Random programs of tasks, and what CPython does with each.

    random_programs.py generate SEED COUNT       programs, to standard output
    random_programs.py run < programs.txt        their traces

random_programs_test.cc runs the same programs; programs.txt and traces.txt were
written by this file under CPython 3.13. The language is what Interpreter reads:
statements, blocks in braces, lists that end with ";". Time is virtual, in whole
seconds. What CPython leaves open (timers with one deadline, the order of sets) is
put in the order of creation.
"""
import asyncio
import contextvars
import inspect
import random
import selectors
import sys
from asyncio import events, taskgroups, tasks

TASKS, FUTURES, GENERATORS = 7, 3, 2


# --- The generator.

class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.budget = 70

    def task(self):
        return str(self.r.randrange(TASKS))

    def tasks(self):
        n = self.r.choice([1, 2, 2, 3, 4])
        return " ".join(self.task() for _ in range(n)) + " ;"

    def future(self):
        return str(self.r.randrange(FUTURES))

    def generator(self):
        return str(self.r.randrange(GENERATORS))

    def time(self):
        return str(self.r.choice([0, 0, 1, 1, 2, 3, 5]))

    def limit(self):
        return str(self.r.choice([-1, 0, 1, 1, 2, 3, 5]))

    def block(self, depth, most=5, group=False):
        n = self.r.randrange(1, most + 1)
        return "{ " + " ".join(self.statement(depth, group) for _ in range(n)) + " }"

    def statement(self, depth, group):
        self.budget -= 1
        r = self.r
        if depth > 0 and self.budget > 0 and r.random() < 0.5:
            inner = depth - 1
            pick = r.randrange(20 if group else 16)
            if r.random() < 0.1:
                body = " ".join(r.choice(["yield", self.statement(inner, False)])
                                for _ in range(r.randrange(1, 5)))
                return f"gnew {self.generator()} {{ {body} }} {self.block(inner, 2)}"
            if pick < 4:
                return f"spawn {self.task()} {int(r.random() < 0.2)} {self.block(inner)}"
            if pick < 6:
                return f"timeout {self.limit()} {self.block(inner, 3, group)}"
            if pick < 7:
                return f"waitforb {self.limit()} {self.block(inner, 3)}"
            if pick < 9:
                return f"group {self.block(inner, 4, True)}"
            if pick < 13:
                what = r.choice(["exc", "cancel", "base", "base"])
                return f"try {what} {self.block(inner, 4, group)} {self.block(inner, 2, group)}"
            if pick < 15:
                return f"finally {self.block(inner, 3, group)} {self.block(inner, 2, group)}"
            if pick < 16:
                return r.choice(["lock", "sem"]) + " " + self.block(inner, 3, group)
            return f"child {self.task()} {self.block(inner)}"
        if r.random() < 0.25:
            return r.choice([
                f"gnext {self.generator()}", f"gnext {self.generator()}",
                f"gnext {self.generator()}", f"gclose {self.generator()}",
                "cwait", "cwait", "cnotify", "cnotifyall", "bwait", "bwait", "breset",
                r.choice(["babort", "bwait"]), "qdone", "qjoin",
                f"gatherf {r.randrange(2)}", f"fshield {self.future()}",
                f"fwaitfor {self.limit()} {self.future()}",
                f"first {self.limit()} {self.tasks()}", "vset", "vget"])
        pick = r.randrange(100)
        if pick < 14:
            return f"sleep {self.time()}"
        if pick < 26:
            return f"cancel {self.task()}"
        if pick < 36:
            return f"await {self.task()}"
        if pick < 40:
            return f"gather {r.randrange(2)} {self.tasks()}"
        if pick < 41:
            return f"gwaitfor {self.limit()} {self.tasks()}"
        if pick < 46:
            return f"wait {r.choice(['all', 'first', 'exc'])} {self.limit()} {self.tasks()}"
        if pick < 50:
            return f"waitfor {self.limit()} {self.task()}"
        if pick < 54:
            return f"shield {self.task()}"
        if pick < 57:
            return f"completed {self.limit()} {self.tasks()}"
        if pick < 60:
            return f"fawait {self.future()}"
        if pick < 63:
            return r.choice(["fresult", "fresult", "ferror", "fcancel"]) + " " + self.future()
        if pick < 65:
            return f"fnew {self.future()}"
        if pick < 68:
            return r.choice(["fcall ", "tcall "]) + self.future()
        if pick < 71:
            return r.choice(["put", "put", "putnow"])
        if pick < 74:
            return r.choice(["get", "get", "getnow"])
        if pick < 76:
            return r.choice(["evwait", "evwait", "evset", "evclear"])
        if pick < 80:
            return "raise"
        if pick < 82:
            return "raisecancel"
        if pick < 84:
            return "selfcancel"
        if pick < 87:
            return "uncancel"
        if pick < 89:
            return "cancelling"
        if pick < 91:
            return f"return {r.randrange(9)}"
        if pick < 95:
            return f"look {self.task()}"
        if pick < 97:
            return "soon"
        return f"later {self.time()}"

    def program(self):
        starts = " ".join(f"spawn {i} 0 {self.block(3)}" for i in range(4))
        return "{ " + starts + " " + self.block(3)[2:]


# --- The interpreter.

def parse(tokens):
    """One block, after its "{"."""
    block = []
    while (word := next(tokens)) != "}":
        args, blocks = [], []
        plain, nested, listed = SHAPES[word]
        args = [next(tokens) for _ in range(plain)]
        if listed:
            while (item := next(tokens)) != ";":
                args.append(item)
        for _ in range(nested):
            assert next(tokens) == "{"
            blocks.append(parse(tokens))
        block.append((word, args, blocks))
    return block


# Arguments, blocks, whether a list follows the arguments.
SHAPES = {
    "spawn": (2, 1, False), "child": (1, 1, False), "timeout": (1, 1, False),
    "waitforb": (1, 1, False), "group": (0, 1, False), "try": (1, 2, False),
    "finally": (0, 2, False), "lock": (0, 1, False), "sem": (0, 1, False),
    "sleep": (1, 0, False), "cancel": (1, 0, False), "await": (1, 0, False),
    "gather": (1, 0, True), "gwaitfor": (1, 0, True), "wait": (2, 0, True),
    "waitfor": (2, 0, False),
    "shield": (1, 0, False), "completed": (1, 0, True), "fawait": (1, 0, False),
    "fresult": (1, 0, False), "ferror": (1, 0, False), "fcancel": (1, 0, False),
    "fnew": (1, 0, False), "fcall": (1, 0, False), "tcall": (1, 0, False),
    "put": (0, 0, False), "putnow": (0, 0, False), "get": (0, 0, False),
    "getnow": (0, 0, False), "evwait": (0, 0, False), "evset": (0, 0, False),
    "evclear": (0, 0, False), "raise": (0, 0, False), "raisecancel": (0, 0, False),
    "selfcancel": (0, 0, False), "uncancel": (0, 0, False),
    "cancelling": (0, 0, False), "return": (1, 0, False), "look": (1, 0, False),
    "soon": (0, 0, False), "later": (1, 0, False), "gnew": (1, 2, False),
    "yield": (0, 0, False), "gnext": (1, 0, False), "gclose": (1, 0, False),
    "cwait": (0, 0, False), "cnotify": (0, 0, False), "cnotifyall": (0, 0, False),
    "bwait": (0, 0, False), "breset": (0, 0, False), "babort": (0, 0, False),
    "qdone": (0, 0, False), "qjoin": (0, 0, False), "gatherf": (1, 0, False),
    "fshield": (1, 0, False), "fwaitfor": (2, 0, False), "first": (1, 0, True),
    "vset": (0, 0, False), "vget": (0, 0, False),
}


VARIABLE = contextvars.ContextVar("variable", default=0)


def text(error):
    if isinstance(error, BaseExceptionGroup):
        return type(error).__name__ + "[" + " ".join(map(text, error.exceptions)) + "]"
    if isinstance(error, ValueError):
        return f"{type(error).__name__}({error})"
    return type(error).__name__


def limit(word):
    return None if word == "-1" else int(word)


class Interpreter:
    def __init__(self, program):
        self.program = program
        self.loop = asyncio.get_running_loop()
        self.slots = [None] * TASKS
        self.futures = [self.loop.create_future() for _ in range(FUTURES)]
        self.all = []
        self.number = 0
        self.lock, self.sem = asyncio.Lock(), asyncio.Semaphore(2)
        self.event, self.queue = asyncio.Event(), asyncio.Queue(2)
        self.condition, self.barrier = asyncio.Condition(), asyncio.Barrier(2)
        self.generators = [None] * GENERATORS
        self.every_generator = []

    def log(self, me, *words):
        print(f"{int(self.loop.time())} {me}:", *words)

    def count(self):
        self.number += 1
        return self.number

    def start(self, slot, block, make):
        me = self.count()
        task = make(self.body(me, block))
        self.slots[slot] = (me, task)
        self.all.append((me, task))

    async def body(self, me, block):
        self.log(me, "begins")
        try:
            value = await self.run(me, block, None)
            self.log(me, "ends", value)
            return value
        except BaseException as e:
            self.log(me, "ends", text(e))
            raise

    async def main(self):
        self.all.append((0, asyncio.create_task(self.body(0, self.program))))
        await asyncio.sleep(1000)
        await self.end_tasks()
        for g in self.every_generator:
            closing = asyncio.ensure_future(self.close(g))
            while not closing.done():
                await asyncio.wait([closing], timeout=10)
                closing.cancel()
        await self.end_tasks()
        for me, t in self.all:
            self.log(me, self.outcome(t))

    async def end_tasks(self):
        for turn in range(300):
            pending = [(me, t) for me, t in self.all if not t.done()]
            if not pending:
                break
            for me, t in pending:
                self.log(me, "is left", t.cancelling())
                t.cancel()
            await asyncio.sleep(0 if turn % 4 else 50)

    async def close(self, generator):
        try:
            await generator.aclose()
        except BaseException as e:
            self.log(0, "aclose", text(e))

    async def generate(self, me, block, cleanup):
        try:
            for statement in block:
                if statement[0] == "yield":
                    value = self.count()
                    self.log(me, "yields", value)
                    yield value
                elif await self.step(me, *statement, None) is not None:
                    break
        finally:
            self.log(me, "generator ends")
            await self.run(me, cleanup, None)

    @staticmethod
    def outcome(f):
        if not f.done():
            return "pending"
        if f.cancelled():
            return "cancelled"
        if f.exception() is not None:
            return text(f.exception())
        return str(f.result())

    # A task waits for younger ones alone: CPython does not survive the cancellation
    # of a ring.
    async def run(self, me, block, group):
        """What a return statement gave, or None."""
        for word, args, blocks in block:
            value = await self.step(me, word, args, blocks, group)
            if value is not None:
                return value
        return None

    async def step(self, me, word, args, blocks, group):
        log, loop = self.log, self.loop
        me_task = asyncio.current_task()
        if word in ("cancel", "await", "waitfor", "shield", "look", "tcall"):
            number, task = self.slots[int(args[-1])] or (-1, None)
            waits = word in ("await", "waitfor", "shield")
            if task is None or waits and number <= me:
                return log(me, word, "nobody")
        elif word in ("gather", "gwaitfor", "wait", "completed", "first"):
            first = 2 if word == "wait" else 1
            some = [self.slots[int(a)] for a in args[first:]]
            some = [t[1] for t in some if t is not None and t[0] > me]
            if not some:
                return log(me, word, "nobody")
        elif word[0] == "f" and word not in ("finally",):
            n = int(args[-1])
            future = self.futures[n]

        if word == "spawn":
            eager = args[1] == "1"
            self.start(int(args[0]), blocks[0],
                       lambda c: asyncio.Task(c, loop=loop, eager_start=eager))
        elif word == "child":
            if group is None:
                return log(me, "no group")
            me_child = self.number + 1
            try:
                self.start(int(args[0]), blocks[0], group.create_task)
            except RuntimeError:
                log(me, "child", me_child, "refused")
        elif word == "timeout":
            value = None
            scope = asyncio.timeout(limit(args[0]))
            try:
                async with scope:
                    value = await self.run(me, blocks[0], group)
            finally:
                log(me, "timeout", scope.expired())
            return value
        elif word == "waitforb":
            value = await asyncio.wait_for(self.run(me, blocks[0], None), limit(args[0]))
            log(me, "in time", value)
            return value
        elif word == "group":
            # docs/deviations.md: there the two part.
            if me_task.cancelling() > 0:
                return log(me, "no group")
            value = None
            async with asyncio.TaskGroup() as inner:
                value = await self.run(me, blocks[0], inner)
            log(me, "group ends")
            return value
        elif word == "try":
            kind = {"exc": Exception, "cancel": asyncio.CancelledError,
                    "base": BaseException}[args[0]]
            try:
                return await self.run(me, blocks[0], group)
            except kind as e:
                log(me, "caught", text(e))
            return await self.run(me, blocks[1], group)
        elif word == "finally":
            value = None
            try:
                value = await self.run(me, blocks[0], group)
            finally:
                log(me, "finally")
                await self.run(me, blocks[1], group)
            return value
        elif word in ("lock", "sem"):
            async with self.lock if word == "lock" else self.sem:
                log(me, word)
                return await self.run(me, blocks[0], group)
        elif word == "sleep":
            await asyncio.sleep(int(args[0]))
        elif word == "cancel":
            log(me, "cancel", task.cancel())
        elif word == "await":
            log(me, "await", await task)
        elif word == "gather":
            values = await asyncio.gather(*some, return_exceptions=args[0] == "1")
            log(me, "gather", *[text(v) if isinstance(v, BaseException) else v for v in values])
        elif word == "gwaitfor":
            log(me, "gwaitfor", *await asyncio.wait_for(asyncio.gather(*some), limit(args[0])))
        elif word == "wait":
            mode = {"all": asyncio.ALL_COMPLETED, "first": asyncio.FIRST_COMPLETED,
                    "exc": asyncio.FIRST_EXCEPTION}[args[0]]
            done, pending = await asyncio.wait(some, timeout=limit(args[1]), return_when=mode)
            log(me, "wait", len(done), len(pending), *["d" if t in done else "p" for t in some])
        elif word == "waitfor":
            log(me, "waitfor", await asyncio.wait_for(task, limit(args[0])))
        elif word == "shield":
            log(me, "shield", await asyncio.shield(task))
        elif word == "completed":
            async for t in asyncio.as_completed(some, timeout=limit(args[0])):
                log(me, "completed", some.index(t), self.outcome(t))
        elif word == "fawait":
            log(me, "fawait", await future)
        elif word == "fresult":
            if not future.done():
                future.set_result(n)
        elif word == "ferror":
            if not future.done():
                future.set_exception(ValueError(f"f{n}"))
        elif word == "fcancel":
            log(me, "fcancel", future.cancel())
        elif word == "fnew":
            if future.done():
                self.futures[n] = loop.create_future()
        elif word in ("fcall", "tcall"):
            number = self.count()
            (future if word == "fcall" else task).add_done_callback(
                lambda f: log(number, "told", self.outcome(f)))
        elif word == "put":
            await self.queue.put(self.count())
        elif word == "putnow":
            number = self.count()
            try:
                self.queue.put_nowait(number)
            except asyncio.QueueFull:
                log(me, "full")
        elif word == "get":
            log(me, "get", await self.queue.get())
        elif word == "getnow":
            try:
                log(me, "get", self.queue.get_nowait())
            except asyncio.QueueEmpty:
                log(me, "empty")
        elif word == "evwait":
            await self.event.wait()
            log(me, "event")
        elif word == "evset":
            self.event.set()
        elif word == "evclear":
            self.event.clear()
        elif word == "raise":
            raise ValueError(f"v{self.count()}")
        elif word == "raisecancel":
            raise asyncio.CancelledError
        elif word == "selfcancel":
            me_task.cancel()
        elif word == "uncancel":
            log(me, "uncancel", me_task.uncancel())
        elif word == "cancelling":
            log(me, "cancelling", me_task.cancelling())
        elif word == "gnew":
            n = int(args[0])
            self.generators[n] = self.generate(me * 1000 + self.count(), *blocks)
            self.every_generator.append(self.generators[n])
        elif word == "yield":
            pass
        elif word in ("gnext", "gclose"):
            g = self.generators[int(args[0])]
            if g is None:
                return log(me, word, "nobody")
            if word == "gclose":
                await g.aclose()
                log(me, "gclose")
            else:
                log(me, "gnext", await anext(g, None))
        elif word == "cwait":
            async with self.condition:
                await self.condition.wait()
                log(me, "cwait")
        elif word == "cnotify":
            async with self.condition:
                self.condition.notify()
        elif word == "cnotifyall":
            async with self.condition:
                self.condition.notify_all()
        elif word == "bwait":
            log(me, "bwait", await self.barrier.wait())
        elif word == "breset":
            await self.barrier.reset()
            log(me, "breset", self.barrier.n_waiting, self.barrier.broken)
        elif word == "babort":
            await self.barrier.abort()
            log(me, "babort", self.barrier.n_waiting, self.barrier.broken)
        elif word == "qdone":
            self.queue.task_done()
        elif word == "qjoin":
            await self.queue.join()
            log(me, "qjoin")
        elif word == "gatherf":
            values = await asyncio.gather(*self.futures, return_exceptions=args[0] == "1")
            log(me, "gatherf", *[text(v) if isinstance(v, BaseException) else v for v in values])
        elif word == "fshield":
            log(me, "fshield", await asyncio.shield(future))
        elif word == "fwaitfor":
            log(me, "fwaitfor", await asyncio.wait_for(future, limit(args[0])))
        elif word == "first":
            async for t in asyncio.as_completed(some, timeout=limit(args[0])):
                log(me, "first", some.index(t), self.outcome(t))
                break
        elif word == "vset":
            VARIABLE.set(self.count())
        elif word == "vget":
            log(me, "vget", VARIABLE.get())
        elif word == "return":
            return int(args[0])
        elif word == "look":
            log(me, "look", self.outcome(task), task.cancelling())
        elif word == "soon":
            number = self.count()
            loop.call_soon(lambda: log(number, "soon", VARIABLE.get()))
        elif word == "later":
            number = self.count()
            loop.call_later(int(args[0]), lambda: log(number, "later", VARIABLE.get()))
        else:
            raise AssertionError(word)
        return None


# --- A loop whose time is virtual, and sets in the order of insertion.

class Selector(selectors.SelectSelector):
    def select(self, timeout=None):
        if timeout is None:
            raise SystemExit("the program hangs")
        self.now += max(timeout, 0)
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.virtual = Selector()
        self.virtual.now = 0.0
        super().__init__(self.virtual)
        self._clock_resolution = 0.25

    def time(self):
        return self.virtual.now


class OrderedSet(dict):
    def __init__(self, items=()):
        super().__init__((i, None) for i in items)

    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)

    remove = dict.__delitem__


class TimerHandle(events.TimerHandle):
    made = 0

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        TimerHandle.made += 1
        self.number = TimerHandle.made

    def __lt__(self, other):
        return (self._when, self.number) < (other._when, other.number)


def make_deterministic():
    events.TimerHandle = TimerHandle
    taskgroups.set = tasks.set = tasks.OrderedSet = OrderedSet
    a_set = "{ensure_future(aw, loop=loop) for aw in set(aws)}"
    ordered = "OrderedSet(ensure_future(aw, loop=loop) for aw in set(aws))"
    source = inspect.getsource(tasks._AsCompletedIterator)
    assert a_set in source
    exec(source.replace(a_set, ordered), tasks.__dict__)


async def main(program):
    VARIABLE.set(0)
    def report(loop, context):
        if "never retrieved" not in context["message"]:
            error = context.get("exception")
            print("report:", context["message"], text(error) if error else "")
    asyncio.get_running_loop().set_exception_handler(report)
    await Interpreter(program).main()


def run_programs(lines):
    make_deterministic()
    for number, line in enumerate(lines):
        print("program", number)
        tokens = iter(line.split())
        assert next(tokens) == "{"
        sys.setrecursionlimit(10000)
        asyncio.run(main(parse(tokens)), loop_factory=Loop)


if __name__ == "__main__":
    if sys.argv[1] == "generate":
        seed, count = int(sys.argv[2]), int(sys.argv[3])
        for i in range(count):
            print(Generator(seed + i).program())
    else:
        run_programs(sys.stdin)
