"""A peer of an exported step: the same shapes in another library; JSON.

python gpu_step_peers.py torch|keras_hub FOLDER --steps 50
"""

import argparse
import json
import os
import pathlib

import gpu_step_program as program

_RATE, _DECAY, _CLIP_NORM = 1e-4, 0.01, 1.0


def torch_step(spec):
    """Hugging Face's BertForPreTraining, compiled, with fused attention.

    It scores the masked words alone, as ours does.
    """
    import torch
    import transformers

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(1)
    torch.set_float32_matmul_precision("high")
    shape = spec["bert"] | {"hidden_act": "gelu_new"}
    model = transformers.BertForPreTraining(
        transformers.BertConfig(**shape, attn_implementation="sdpa")
    )
    model.to(device).train()
    optimizer = torch.optim.AdamW(
        model.parameters(), _RATE, weight_decay=_DECAY, fused=True
    )
    batch = {
        name: torch.tensor(x).to(device)
        for name, x in program.random_batch(spec, seed=0).items()
    }
    batch = {
        name: x if x.is_floating_point() else x.long()
        for name, x in batch.items()
    }
    places = batch["masked_lm_positions"][:, :, None]

    def loss():
        tokens, pooled = model.bert(
            input_ids=batch["input_ids"],
            attention_mask=batch["input_mask"],
            token_type_ids=batch["segment_ids"],
        )[:2]
        index = places.expand(-1, -1, tokens.shape[-1])
        words, pairs = model.cls(tokens.gather(1, index), pooled)
        entropy = torch.nn.functional.cross_entropy
        return entropy(
            words.float().flatten(0, 1), batch["masked_lm_ids"].flatten()
        ) + entropy(pairs.float(), batch["next_sentence_labels"])

    compiled = torch.compile(loss)

    def run(count):
        for _ in range(count):
            with torch.autocast(
                device, torch.bfloat16, enabled=spec["precision"] == "bfloat16"
            ):
                found = compiled()
            found.backward()
            torch.nn.utils.clip_grad_norm_(
                model.parameters(), _CLIP_NORM, foreach=True
            )
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        float(found.detach())

    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return run, f"torch {torch.__version__}", name


def keras_hub_step(spec):
    """KerasHub's BertMaskedLM on JAX; it predicts no next sentence."""
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax
    import keras
    import keras_hub

    shape = spec["bert"]
    if spec["precision"] != "none":
        keras.config.set_dtype_policy(f"mixed_{spec['precision']}")
    model = keras_hub.models.BertMaskedLM(
        keras_hub.models.BertBackbone(
            vocabulary_size=shape["vocab_size"],
            num_layers=shape["num_hidden_layers"],
            num_heads=shape["num_attention_heads"],
            hidden_dim=shape["hidden_size"],
            intermediate_dim=shape["intermediate_size"],
            dropout=shape["hidden_dropout_prob"],
            max_sequence_length=shape["max_position_embeddings"],
        )
    )
    # Its own fit asks for TensorFlow, to prepare text.
    model = keras.Model(model.inputs, model.outputs)
    model.compile(
        optimizer=keras.optimizers.AdamW(
            _RATE, weight_decay=_DECAY, global_clipnorm=_CLIP_NORM
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True,
    )
    batch = jax.device_put(program.random_batch(spec, seed=0))
    inputs = {
        "token_ids": batch["input_ids"],
        "segment_ids": batch["segment_ids"],
        "padding_mask": batch["input_mask"],
        "mask_positions": batch["masked_lm_positions"],
    }
    one = inputs, batch["masked_lm_ids"], batch["masked_lm_weights"]

    def run(count):
        model.fit((one for _ in range(count)), steps_per_epoch=count, verbose=0)

    version = f"KerasHub {keras_hub.__version__}, jax {jax.__version__}"
    return run, version, jax.devices()[0].device_kind


_PEERS = {"torch": torch_step, "keras_hub": keras_hub_step}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=_PEERS)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=50)
    arguments = parser.parse_args()
    run, version, device = _PEERS[arguments.peer](
        program.read_spec(arguments.folder)
    )
    run(3)
    print(
        json.dumps(
            {
                "seconds": program.timed(run, arguments.steps),
                "version": version,
                "device": device,
            }
        )
    )


if __name__ == "__main__":
    main()
