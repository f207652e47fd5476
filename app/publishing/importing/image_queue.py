"""Images that threads scale for an import: each once, and within limits of memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from hashlib import sha256
from threading import Condition

from app.publishing.editing import images
from app.publishing.editing.images import PreparedImage
from app.publishing.images import MAX_PIXELS, CleanImage, count_pixels

MAX_WAITING_BYTES = 32 * 1024 * 1024
"""The size of scaled images that wait to be saved; above it, only the next post scales more."""


class ImageQueue:
    """Scales images for the posts of a plan, which are counted in its order."""

    def __init__(self, max_waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        self._max_waiting_bytes = max_waiting_bytes
        self._images: dict[str, Future[PreparedImage]] = {}
        self._waiting: dict[str, int] = {}
        self._next = 0
        self._pixels = 0
        self._changed = Condition()

    def scale(self, number: int, content: CleanImage, name: str) -> PreparedImage:
        """Return the scaled image for the post with this number; waits for memory.

        Another post that is not saved yet may have scaled it. Raises Invalid.
        """
        digest = sha256(content).hexdigest()
        with self._changed:
            future = self._images.get(digest)
            if future is None:
                own = self._images[digest] = Future()
        if future is not None:
            return future.result()
        try:
            self._wait_for_room(number)
            with self._decoding(count_pixels(content)):
                image = images.prepare(content, name)
        except BaseException as error:
            own.set_exception(error)
            raise
        with self._changed:
            self._waiting[digest] = _size(image)
        own.set_result(image)
        return image

    def start(self, number: int) -> None:
        """Allow the post with this number to scale its images, however many images wait."""
        with self._changed:
            self._next = number
            self._changed.notify_all()

    def release(self, digests: Iterable[str]) -> None:
        """Forget images that are saved."""
        with self._changed:
            for digest in digests:
                self._images.pop(digest, None)
                self._waiting.pop(digest, None)
            self._changed.notify_all()

    def _wait_for_room(self, number: int) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    number <= self._next or sum(self._waiting.values()) < self._max_waiting_bytes
                )
            )

    @contextmanager
    def _decoding(self, pixels: int) -> Iterator[None]:
        """Bound the pixels that all threads decode at a time: many small images, or a large one."""
        with self._changed:
            self._changed.wait_for(lambda: self._pixels == 0 or self._pixels + pixels <= MAX_PIXELS)
            self._pixels += pixels
        try:
            yield
        finally:
            with self._changed:
                self._pixels -= pixels
                self._changed.notify_all()


def _size(image: PreparedImage) -> int:
    return len(image.content) + sum(len(copy.data) for copy in image.copies)


def size_of(prepared: Iterable[PreparedImage]) -> int:
    """Return the bytes of some images with their smaller copies."""
    return sum(map(_size, prepared))
