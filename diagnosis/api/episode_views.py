"""API views of episodes; their paths are in `himmes/api/urls.py`, their descriptions in `episode_schema.py`."""

from collections.abc import Callable

from django.utils import timezone
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from common.rest.lists import LongList, TableRows, answer_list
from common.rest.query import read_filters, read_query
from common.rest.rows import Conflict
from diagnosis.api import episode_schema as schema
from diagnosis.api import episode_serializers as shapes
from diagnosis.api.episode_filters import EpisodeFilter
from diagnosis.api.episode_rows import NEWEST_FIRST, as_rows, in_full
from diagnosis.history.exporting import export_episodes
from diagnosis.models import Episode, EpisodeAct
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor, InvalidAct, Moved


@schema.EPISODES
class EpisodeList(LongList):
    queryset = Episode.objects.all()
    filterset_class = EpisodeFilter

    def get(self, request):
        newest_first = Episode.objects.prefetch_related("machine").order_by(*NEWEST_FIRST)
        episodes = read_filters(self.filterset_class, request.query_params, newest_first).qs
        if request.accepted_renderer.format == "csv":
            return export_episodes(request, episodes, timezone.now())
        return answer_list(request, TableRows(episodes, as_rows))


@schema.ONE
class EpisodeDetail(APIView):
    queryset = Episode.objects.all()

    def get(self, request, pk):
        read_query(Serializer, request.query_params)
        return Response(_in_full(pk))


class _ActView(APIView):
    """One act of a person; its `act` is the function that writes it, its `body` says what it wants to know.

    Who may add acts may post; the episode itself is not theirs to change.
    """

    queryset = EpisodeAct.objects.all()
    body: type[Serializer]
    act: Callable[..., EpisodeAct]

    def post(self, request, pk):
        read_query(Serializer, request.query_params)
        posted = self.body(data=request.data)
        posted.is_valid(raise_exception=True)
        content = dict(posted.validated_data)
        if "revision" in content:
            content["seen"] = content.pop("revision")
        try:
            self.act(int(pk), Actor.of(request), **content)
        except Episode.DoesNotExist:
            raise _unknown(pk) from None
        except InvalidAct as error:
            raise ValidationError({name: [str(text)] for name, text in error.errors.items()}) from None
        except Moved as error:
            raise MovedOn(error) from None
        return Response(_in_full(pk))


@schema.ACKNOWLEDGE
class Acknowledge(_ActView):
    body = shapes.Acknowledgement
    act = staticmethod(acts.acknowledge)


@schema.SHELVE
class Shelve(_ActView):
    body = shapes.Shelving
    act = staticmethod(acts.shelve)


@schema.UNSHELVE
class Unshelve(_ActView):
    body = shapes.Unshelving
    act = staticmethod(acts.unshelve)


@schema.NOTE
class Note(_ActView):
    body = shapes.Note
    act = staticmethod(acts.note)


@schema.CLOSE
class Close(_ActView):
    body = shapes.Closing
    act = staticmethod(acts.close)


class MovedOn(Conflict):
    """The episode is no longer as it was seen; the answer says what became of it, and through whom."""

    def __init__(self, moved: Moved):
        super().__init__(str(moved))
        self.extra = {
            "revision": moved.episode.revision,
            "stage": moved.episode.stage().value,
            "acts": [shapes.Act.of(act) for act in moved.acts],
        }


def _in_full(pk: str) -> dict:
    episode = Episode.objects.select_related("machine").filter(pk=pk).first()
    if episode is None:
        raise _unknown(pk)
    return in_full(episode)


def _unknown(pk: str) -> NotFound:
    return NotFound(f"There is no episode {pk}.")
