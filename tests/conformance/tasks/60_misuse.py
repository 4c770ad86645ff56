# PINS: the errors and texts of misuse: scopes entered twice, groups used too early and too late, tasks resolved from outside, loops run inside loops | SOURCE: src:timeouts.Timeout; src:taskgroups.TaskGroup; src:runners.Runner; doc:asyncio-task | LEVEL: impl
import asyncio

async def three():
    return 3

def text(group, call):
    try:
        call()
    except RuntimeError as e:
        print(str(e).replace(repr(group), "G"))

async def main():
    scope = asyncio.timeout(1)
    text(None, lambda: scope.reschedule(1))
    async with scope:
        try:
            await scope.__aenter__()
        except RuntimeError as e:
            print(e)
    text(None, lambda: scope.reschedule(1))
    expired = asyncio.timeout(0)
    try:
        async with expired:
            await asyncio.sleep(1)
    except TimeoutError:
        text(None, lambda: expired.reschedule(1))

    group = asyncio.TaskGroup()
    coroutine = three()
    text(group, lambda: group.create_task(coroutine))
    async with group:
        pass
    text(group, lambda: group.create_task(coroutine))
    try:
        async with group:
            pass
    except RuntimeError as e:
        print(str(e).replace(repr(group), "G"))

    coroutine = three()
    print(await coroutine)
    try:
        await coroutine
    except RuntimeError as e:
        print(e)
    task = asyncio.create_task(three())
    for _ in range(2):
        text(None, lambda: task.set_result(1))
        text(None, lambda: task.set_exception(ValueError()))
        await task
    print(task.cancel(), task.cancelling(), asyncio.current_task().uncancel())

    text(None, lambda: asyncio.run(main()))
    text(None, lambda: asyncio.Runner().run(main()))
    text(None, lambda: asyncio.get_running_loop().run_until_complete(main()))

asyncio.run(main())
text(None, asyncio.get_running_loop)
text(None, asyncio.current_task)
text(None, asyncio.all_tasks)
