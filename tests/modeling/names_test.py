"""Variables have the names and shapes of published checkpoints."""

from modeling import bert, heads, initializers
from tests import tiny

# As google-research/bert writes them; V, T, H, I, P as in the config below.
_V, _T, _H, _I, _P = 101, 2, 32, 64, 16

_OUTSIDE_LAYERS = {
    "bert/embeddings/word_embeddings": (_V, _H),
    "bert/embeddings/token_type_embeddings": (_T, _H),
    "bert/embeddings/position_embeddings": (_P, _H),
    "bert/embeddings/LayerNorm/beta": (_H,),
    "bert/embeddings/LayerNorm/gamma": (_H,),
    "bert/pooler/dense/kernel": (_H, _H),
    "bert/pooler/dense/bias": (_H,),
    "cls/predictions/transform/dense/kernel": (_H, _H),
    "cls/predictions/transform/dense/bias": (_H,),
    "cls/predictions/transform/LayerNorm/beta": (_H,),
    "cls/predictions/transform/LayerNorm/gamma": (_H,),
    "cls/predictions/output_bias": (_V,),
    "cls/seq_relationship/output_weights": (2, _H),
    "cls/seq_relationship/output_bias": (2,),
}
_IN_EACH_LAYER = {
    "attention/self/query/kernel": (_H, _H),
    "attention/self/query/bias": (_H,),
    "attention/self/key/kernel": (_H, _H),
    "attention/self/key/bias": (_H,),
    "attention/self/value/kernel": (_H, _H),
    "attention/self/value/bias": (_H,),
    "attention/output/dense/kernel": (_H, _H),
    "attention/output/dense/bias": (_H,),
    "attention/output/LayerNorm/beta": (_H,),
    "attention/output/LayerNorm/gamma": (_H,),
    "intermediate/dense/kernel": (_H, _I),
    "intermediate/dense/bias": (_I,),
    "output/dense/kernel": (_I, _H),
    "output/dense/bias": (_H,),
    "output/LayerNorm/beta": (_H,),
    "output/LayerNorm/gamma": (_H,),
}


def test_paths_and_shapes_are_those_of_google_research_bert():
    wanted = _OUTSIDE_LAYERS | {
        f"bert/encoder/layer_{i}/{name}": shape
        for i in range(2)
        for name, shape in _IN_EACH_LAYER.items()
    }
    initializer = initializers.TruncatedNormal(0.02, seed=1)
    encoder = bert.BertEncoder(tiny.config(), initializer)
    pretraining_heads = heads.PretrainingHeads(tiny.config(), initializer)
    encoder.build()
    pretraining_heads.build()
    weights = encoder.weights + pretraining_heads.weights
    assert {w.path: tuple(w.shape) for w in weights} == wanted
    assert len(weights) == len(wanted)


def test_bert_base_has_the_published_number_of_parameters():
    # Chinese BERT-base: 102,267,648 in the encoder and the pooler.
    config = tiny.config(vocab_size=21128, max_position_embeddings=512)
    wide = {"hidden_size": 768, "intermediate_size": 3072}
    per_layer = 4 * (768 * 768 + 768) + 2 * 768 * 3072 + 3072 + 768 + 4 * 768
    encoder = bert.BertEncoder(
        tiny.config(
            vocab_size=config.vocab_size,
            max_position_embeddings=512,
            num_hidden_layers=1,
            num_attention_heads=12,
            **wide,
        ),
        "zeros",
    )
    encoder.build()
    assert encoder.count_params() + 11 * per_layer == 102_267_648


def test_the_same_seed_gives_the_same_weights_and_no_two_tensors_are_equal():
    first, second, other = (
        _first_weights(seed) for seed in (12345, 12345, 12346)
    )
    assert (first[0] == second[0]).all() and (first[1] == second[1]).all()
    assert (first[0] != other[0]).any()
    assert (first[0] != first[1]).any()
    assert abs(first[0].std() - 0.02 * 0.88) < 2e-3  # Cut at 2 deviations.


def _first_weights(seed):
    encoder = bert.BertEncoder(
        tiny.config(), initializers.TruncatedNormal(0.02, seed)
    )
    encoder.build()
    mix = encoder.encoder.layers[0].attention.mix
    return mix.query.kernel.numpy(), mix.key.kernel.numpy()
