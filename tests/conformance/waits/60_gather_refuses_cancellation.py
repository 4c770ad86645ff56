# PINS: a cancellation that meets a gather whose children are all done, before it was told, ends the await of it all the same; uncancel() takes it back | SOURCE: src:tasks._GatheringFuture.cancel; src:tasks.Task.cancel | LEVEL: impl
import asyncio

async def main():
    async def wait_for(child):
        everything = asyncio.gather(child, return_exceptions=True)
        try:
            await everything
            print("went on")
        except asyncio.CancelledError as e:
            print("cancelled", e, everything.done(), everything.cancelled())

    for take_back in (False, True):
        child = asyncio.create_task(asyncio.sleep(0))

        def meddle(f):
            print("cancel", waiter.cancel("now"))
            if take_back:
                print("uncancel", waiter.uncancel())

        child.add_done_callback(meddle)
        waiter = asyncio.create_task(wait_for(child))
        await waiter
        print(waiter.cancelling())

asyncio.run(main())
