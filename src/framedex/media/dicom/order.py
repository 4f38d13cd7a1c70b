"""The files of a series in geometric order. Pure: it works on facts, whoever took them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from framedex.core.errors import InvalidArguments
from framedex.core.media_types import MediaFacts
from framedex.media.dicom.slices import INSTANCE, STUDY, check_uid, slices_of, uid_of
from framedex.media.dicom.stacks import describe, stacks_of


def order_dicom(files: Sequence[MediaFacts], titles: Sequence[str]) -> MediaFacts:
    """Facts of a series: see `framedex.core.ports.media.Prober.order_dicom`.

    `extra["order"]` has each file once, by its first slice. `extra["stacks"]` lists stacks in order; each has

    - `positions`: files (indices into `files`) by their first slice, and `sorted_by`: `position`, `instance_number`,
      `time` or `given`;
    - with multi-frame files, `frames`: the slices in order as `[file, first frame, count]`;
    - where its slices have places: `spacing` (mm, median), `is_evenly_spaced`, `gaps` (pairs of files with a slice
      missing between), `duplicates` (pairs of files at one place that no time tells apart), and `time_points`. With
      more than one, `time_points_by` says which time tells them apart, `missing_time_points` names files at places
      that have fewer, and `volumes` has one list of slices (as `frames`) for each time point when none is missing.
    """
    if not files:
        raise InvalidArguments("a DICOM series needs at least one file")
    _check_study(files, titles)
    slices = [s for i, (f, t) in enumerate(zip(files, titles, strict=True)) for s in slices_of(i, f, t)]
    stacks = stacks_of(slices)
    instances = Counter(uid_of(file, "dicom_instance_uid", INSTANCE) for file in files)
    rows, columns = stacks[0].slices[0].shape
    series = {piece.series_uid for piece in slices}
    sizes = [file.file_size for file in files]
    return MediaFacts(
        file_size=None if None in sizes else sum(size or 0 for size in sizes),
        mime_type="application/dicom",
        width=columns,
        height=rows,
        frame_count=sum(file.frame_count or 1 for file in files),
        dicom_study_uid=uid_of(files[0], "dicom_study_uid", STUDY),
        dicom_series_uid=series.pop() if len(series) == 1 else None,
        extra={
            "order": list(dict.fromkeys(piece.file for stack in stacks for piece in stack.slices)),
            "stacks": [describe(stack) for stack in stacks],
            "duplicate_instances": sorted(uid for uid, count in instances.items() if uid and count > 1),
        },
    )


def _check_study(files: Sequence[MediaFacts], titles: Sequence[str]) -> None:
    studies = [uid_of(file, "dicom_study_uid", STUDY) for file in files]
    for study, title in zip(studies, titles, strict=True):
        if not study:
            raise InvalidArguments(f"{title[:300]}: the DICOM tag 'StudyInstanceUID' is missing")
        check_uid("StudyInstanceUID", study, title)
    (usual, _), *others = Counter(studies).most_common()
    if others:
        odd = next(i for i, study in enumerate(studies) if study != usual)
        # the service's own text (reference/behaviour.md 1.6)
        raise InvalidArguments(
            "The value of DICOM tag 'StudyInstanceUID' should be consistent across files in a series. "
            f"Got [{studies[odd]}] from '{titles[odd][:300]}' and [{usual}] from other files in the series."
        )
